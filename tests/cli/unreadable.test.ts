import { createCodec, generateKey, KeyRing } from 'holdfast/encryption';
import { describe, expect, it } from 'vitest';
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
  expect(stderr.replaceAll(/\s+/g, ' ')).toContain(
    "because the user's index has them. Whose they are is not known until they can be read",
  );
});

it('delete ends them, and erase all of their user', async () => {
  const { env, store } = await damaged();
  const deleted = await run(['sessions', 'delete', 'list', 'header', '--yes'], env);
  expect(deleted).toMatchObject({ code: 0, stdout: '2 sessions deleted.\n' });
  const erased = await run(['sessions', 'erase', 'user-7', '--yes', '--json'], env);
  expect(erased).toMatchObject({ code: 0, stdout: '{"erased":3}\n' });
  expect(await store.countActive()).toBe(0);
});

it('erase takes those, too, of which only the index of their user says whose they are', async () => {
  const { env, store } = await damaged();
  const { code, stdout } = await run(['sessions', 'erase', 'user-7', '--yes', '--json'], env);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '{"erased":5}\n' });
  expect(await store.countActive()).toBe(0);
});

it('doctor counts them, and does not take a damaged one for a matter of keys', async () => {
  const { env } = await damaged();
  const { code, stdout } = await run(['doctor'], env);
  expect(code).toBe(1);
  const said = stdout.replaceAll(/\s+/g, ' ');
  expect(said).toContain('✓ keys 1 of 5 sessions that were tried can be read.');
  expect(said).toMatch(
    /✗ damage 4 of 5 sessions that were tried are damaged.*`holdfast sessions list` says why/,
  );
  expect(said).not.toContain('SESSION_ENCRYPTION_KEY to the key');
});

describe('where sessions are encrypted, what is damaged is told from what a key is missing for, by', () => {
  /** "fine", four that are damaged under the key of the settings, and "sealed" under another one. */
  async function encrypted() {
    const key = generateKey();
    const set = await scene({ SESSION_ENCRYPTION_KEY: key });
    const under = (text: string) =>
      createCodec(KeyRing.parse(text), { namespace: set.keyPrefix, cipher: 'aes-256-gcm' });
    const store = await set.opened({ codec: under(key) });
    const lost = generateKey();
    const other = await set.opened({ codec: under(lost) });
    const ask = await asking(set.redis.url);
    for (const id of ['fine', 'cut', 'part', 'moved', 'header']) {
      await store.create(id, { userId: 'user-7' });
    }
    await other.create('sealed', { userId: 'user-7' });
    const keys = (await ask('KEYS', `${set.keyPrefix}s:*`)) as readonly string[];
    const keyOf = (id: string) => keys.find((each) => each.endsWith(`:${id}`)) ?? '';
    const inRedis = (lua: string, ...ids: string[]) =>
      ask('EVAL', lua, String(ids.length), ...ids.map(keyOf));
    await inRedis(
      `redis.call('HSET', KEYS[1], 'd', string.sub(redis.call('HGET', KEYS[1], 'd'), 1, -9))`,
      'cut',
    );
    await inRedis(
      `redis.call('HSET', KEYS[1], 'd', redis.call('HGET', KEYS[2], 'd'))`,
      'moved',
      'fine',
    );
    await ask('HDEL', keyOf('part'), 'c');
    await ask('HSET', keyOf('header'), 'h', 'rubbish');
    return { ...set, key, lost };
  }
  const broken = ['cut', 'header', 'moved', 'part'];

  it('list', async () => {
    const { env } = await encrypted();
    const { stdout } = await run(['sessions', 'list', '--json'], env);
    const all = JSON.parse(stdout).unreadable as readonly (Record<string, string> & {
      readonly isDamaged: boolean;
    })[];
    const of = (isDamaged: boolean) => all.filter((each) => each.isDamaged === isDamaged);
    expect(
      of(true)
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(broken);
    for (const { remedy } of of(true)) expect(remedy).toMatch(/from a backup, or delete it/);
    expect(of(false)).toMatchObject([
      { id: 'sealed', remedy: expect.stringContaining('the key ring holds the key') },
    ]);
    const cut = all.find(({ id }) => id === 'cut');
    expect(cut?.reason).toMatch(/failed authentication .* it was changed, or belongs elsewhere/);
  });

  it('doctor', async () => {
    const { env } = await encrypted();
    const said = (await run(['doctor'], env)).stdout.replaceAll(/\s+/g, ' ');
    expect(said).toMatch(/✗ keys 1 of 6 sessions .* \(sealed\)\. → Add the key that wrote them/);
    expect(said).toMatch(/✗ damage 4 of 6 sessions that were tried are damaged/);
    const plain = { ...env, SESSION_ENCRYPTION_KEY: '' };
    const withoutKey = (await run(['doctor'], plain)).stdout.replaceAll(/\s+/g, ' ');
    expect(withoutKey).toMatch(/✗ keys 4 of 6 .*They are encrypted: set SESSION_ENCRYPTION_KEY/);
    expect(withoutKey).toMatch(/✗ damage 2 of 6/);
  });

  it('export and erase', async () => {
    const { env, key, lost } = await encrypted();
    const tried = async (more: Record<string, string>) => {
      const { code, stderr } = await run(['sessions', 'export', 'user-8'], { ...env, ...more });
      expect(code).toBe(1);
      return stderr.replaceAll(/\s+/g, ' ');
    };
    expect(await tried({})).toContain('Put the key that is missing into SESSION_ENCRYPTION_KEY');
    const both = `${key},${lost}`;
    const said = await tried({ SESSION_ENCRYPTION_KEY: both });
    expect(said).toContain('They are damaged, so that no key opens them');
    expect(said).not.toContain('SESSION_ENCRYPTION_KEY');
  });

  it('rekey', async () => {
    const { env, key } = await encrypted();
    const next = {
      ...env,
      SESSION_ENCRYPTION_KEY: `${generateKey()},${key}`,
    };
    const { code, stderr } = await run(['rekey'], next);
    expect(code).toBe(1);
    const said = stderr.replaceAll(/\s+/g, ' ');
    expect(said).toMatch(/1 session with values that no key opens: sealed Put their key/);
    expect(said).toMatch(/4 sessions with values that are damaged, .* Bring them back/);
    // Why, once of each, however many of its values there are.
    const warned = [...said.matchAll(/warning: (\w+): (?=[A-Z].*?\.)/g)].map(([, id]) => id);
    expect(warned.toSorted()).toEqual([...broken, 'sealed']);
    expect(said).toMatch(
      /sealed: The state of session sealed cannot be read: key id \w+ is not in/,
    );
    const again = JSON.parse((await run(['rekey', '--json'], next)).stdout);
    expect(again.unreadable).toEqual(['sealed']);
    expect(again.damaged.toSorted()).toEqual(broken);
  });
});
