import { expect, it } from 'vitest';
import { asking } from '../redis/support/asking.ts';
import { run, scene } from './command-line.ts';

/** Of what is stored of a session, what somebody has spoiled, and what is said of it. */
const damages = {
  garbled: [['HSET', 'd', 'garbage'], 'The stored state of session garbled cannot be read.'],
  cut: [['HDEL', 'd'], 'Of what is stored of session cut something is missing.'],
  header: [['HSET', 'h', 'rubbish'], 'is nothing that Holdfast has written.'],
} as const satisfies Record<string, readonly [readonly [string, ...string[]], string]>;

async function damaged() {
  const set = await scene();
  const store = await set.opened();
  const ask = await asking(set.redis.url);
  for (const id of ['fine', 'list', ...Object.keys(damages)]) {
    await store.create(id, { userId: 'user-7' });
  }
  const keys = (await ask('KEYS', `${set.keyPrefix}s:*`)) as readonly string[];
  const keyOf = (id: string) => keys.find((key) => key.endsWith(`:${id}`)) ?? '';
  for (const [id, [[command, ...args]]] of Object.entries(damages)) {
    await ask(command, keyOf(id), ...args);
  }
  await ask('DEL', keyOf('list'));
  await ask('LPUSH', keyOf('list'), 'x');
  return { ...set, store };
}

const unreadable = ['cut', 'garbled', 'header', 'list'];

it.each([[[]], [['--user', 'user-7']]])(
  'list shows all, and why some are not read (%j)',
  async (more) => {
    const { env, store } = await damaged();
    const listed = await run(['sessions', 'list', ...more], env);
    expect(listed.code).toBe(1);
    expect(listed.stdout).toMatch(/^fine +user-7 +active /m);
    for (const id of unreadable) {
      expect(listed.stdout).toMatch(new RegExp(`^${id} +\\? +unreadable `, 'm'));
    }
    const said = listed.stderr.replaceAll(/\s+/g, ' ');
    expect(said).toMatch(/^error: 4 sessions cannot be read: /);
    for (const [, reason] of Object.values(damages)) expect(said).toContain(reason);
    expect(said).toContain('list: A key of the session holds something of another type');
    const json = await run(['sessions', 'list', '--json', ...more], env);
    expect(json).toMatchObject({ code: 1, stderr: '' });
    const all = JSON.parse(json.stdout);
    expect(all.sessions).toMatchObject([{ id: 'fine' }]);
    expect(all.unreadable.map(({ id }: { id: string }) => id).toSorted()).toEqual(unreadable);
    expect(all.unreadable).toContainEqual(
      expect.objectContaining({ id: 'garbled', code: 'DECRYPTION', reason: damages.garbled[1] }),
    );
    // To list them has not taken them out of the user's index.
    expect(await store.upkeep.entriesOf('user-7')).toHaveLength(5);
  },
);

it('export writes what it can, and names the rest', async () => {
  const { env } = await damaged();
  const { code, stdout, stderr } = await run(['sessions', 'export', 'user-7'], env);
  expect(code).toBe(1);
  expect(JSON.parse(stdout).session.id).toBe('fine');
  expect(stderr).toContain('1 session written.');
  for (const id of unreadable) expect(stderr).toContain(`  ${id}: `);
});

it('doctor counts them, and does not take a damaged one for a matter of keys', async () => {
  const { env } = await damaged();
  const { code, stdout } = await run(['doctor'], env);
  expect(code).toBe(1);
  expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
    /✗ keys 4 of 5 sessions that were tried cannot be read .*`holdfast sessions list` says why/,
  );
});
