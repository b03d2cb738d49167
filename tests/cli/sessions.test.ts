import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SessionManager } from 'holdfast';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { startProcess } from '../helpers/child-process.ts';
import { asking } from '../redis/support/asking.ts';
import {
  ctrlC,
  expectToFit,
  hasTerminals,
  run,
  scene,
  seenInTerminal,
  start,
  startInTerminal,
} from './command-line.ts';

const esc = '\u001b[2J';

/** Three sessions, two of one user, one of which has a conversation. */
async function conversation() {
  const set = await scene();
  const store = await set.opened();
  const sessions = new SessionManager({ store });
  await store.create('talk', { userId: 'user-7', metadata: { plan: 'pro' } });
  await store.create('other', { userId: 'user-7', status: 'handed_over' });
  await store.create('alone');
  await sessions.turn('talk', { idempotencyKey: 'key-1' }, async (turn) => {
    turn.append({ role: 'user', content: `Where is my order?${esc}` });
    turn.emit({ type: 'text', text: 'It comes.' });
    turn.append({ role: 'assistant', content: 'It comes tomorrow.' });
    turn.increment('messageCount');
    return { answer: 'It comes tomorrow.' };
  });
  return { ...set, store, sessions };
}

describe('holdfast sessions', () => {
  it('list: a table for people, one object for programs, narrowed by user and status', async () => {
    const { env } = await conversation();
    const all = await run(['sessions', 'list'], env);
    expect(all).toMatchObject({ code: 0, stderr: '' });
    const [head, ...rows] = all.stdout.trimEnd().split('\n');
    expect(head).toMatch(/^SESSION +USER +STATUS +MESSAGES +IDLE +ENDS IN$/);
    expect(rows.map((row) => row.split(/ {2,}/)[0]).toSorted()).toEqual(['alone', 'other', 'talk']);
    expect(rows.find((row) => row.startsWith('talk'))).toMatch(/^talk +user-7 +active +1 /);
    const json = await run(['sessions', 'list', '--user', 'user-7', '--json'], env);
    const { sessions, isAll } = JSON.parse(json.stdout);
    expect(sessions.map(({ id }: { id: string }) => id).toSorted()).toEqual(['other', 'talk']);
    expect(isAll).toBe(true);
    const handed = await run(['sessions', 'list', '--status', 'handed_over'], env);
    expect(handed.stdout.trimEnd().split('\n')).toHaveLength(2);
    const some = await run(['sessions', 'list', '--limit', '2'], env);
    expect(some.stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(some.stderr).toBe('The first 2; --limit shows more.\n');
    expect((await run(['sessions', 'list', '--user', 'nobody'], env)).stdout).toBe(
      'No sessions.\n',
    );
  });

  it('list into a reader that has enough ends without a word', async () => {
    const { env, store } = await conversation();
    await Promise.all(Array.from({ length: 400 }, (_, at) => store.create(`many-${at}`)));
    const script = `'${process.execPath}' packages/holdfast/dist/cli.js sessions list --limit 1000 | head -n 1`;
    const piped = spawn('/bin/sh', ['-c', script], {
      cwd: inject('builtCopy'),
      env: { PATH: process.env.PATH, ...env },
    });
    let said = '';
    piped.stdout.on('data', (text) => {
      said += text;
    });
    piped.stderr.on('data', (text) => {
      said += text;
    });
    await once(piped, 'close');
    expect(said).toMatch(/^SESSION .*\n$/);
  });

  it.skipIf(!hasTerminals)('list and show fit a terminal of 80 columns', async () => {
    const { env, store } = await conversation();
    await store.create('l'.repeat(200), { userId: 'u'.repeat(200) });
    for (const args of [['list'], ['show', 'talk']]) {
      const running = startInTerminal(['sessions', ...args], env);
      expect(await running.exit).toMatchObject({ code: 0 });
      if (args[0] === 'list') expectToFit(running.stdout);
      expect(running.stdout).not.toContain(esc);
    }
  });

  it('show: state and messages, and nothing that would command a terminal', async () => {
    const { env } = await conversation();
    const shown = await run(['sessions', 'show', 'talk'], env);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain('user       user-7');
    expect(shown.stdout).toContain('metadata   {"plan":"pro"}');
    expect(shown.stdout).toContain('Where is my order?\\u001b[2J');
    const json = await run(['sessions', 'show', 'talk', '--messages', '1', '--json'], env);
    const { session, messages } = JSON.parse(json.stdout);
    expect(session).toMatchObject({ id: 'talk', messageCount: 1, metadata: { plan: 'pro' } });
    expect(messages).toMatchObject([{ seq: 2, role: 'assistant' }]);
    const missing = await run(['sessions', 'show', 'nobody'], env);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('There is no session nobody.');
  });

  it('tail: what was put out, what comes, and the end', async () => {
    const { env, sessions, store } = await conversation();
    const tail = start(['sessions', 'tail', 'talk', '--after', '0', '--json'], env);
    await tail.says(/turn\.completed/);
    await sessions.turn('talk', async (turn) => turn.emit({ type: 'text', text: 'Later.' }));
    await tail.says(/Later\..*\n.*turn\.completed/);
    await store.delete('talk');
    expect(await tail.exit).toMatchObject({ code: 0 });
    const types = tail.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).type);
    const turn = ['turn.started', 'text', 'turn.completed'];
    expect(types).toEqual([...turn, ...turn]);
    expect(tail.stderr).toBe('The session has ended.\n');
  });

  it('tail: a signal ends it with 130', async () => {
    const { env } = await conversation();
    const tail = start(['sessions', 'tail', 'talk', '--after', '0'], env);
    await tail.says(/#2 text \{"text":"It comes\."\}/);
    tail.send('SIGINT');
    expect(await tail.exit).toMatchObject({ code: 130 });
  });

  it('delete: tells those that there were from those that there were not', async () => {
    const { env, store } = await conversation();
    const wrong = await run(['sessions', 'delete', 'talk', 'b c', '--yes'], env);
    expect(wrong.code).toBe(1);
    expect(await store.get('talk')).not.toBeNull();
    const deleted = await run(['sessions', 'delete', 'talk', 'nobody', '--yes', '--json'], env);
    expect(deleted.code).toBe(1);
    expect(JSON.parse(deleted.stdout)).toEqual({ deleted: 1, missing: ['nobody'] });
    expect(await store.get('talk')).toBeNull();
    expect(await store.get('other')).not.toBeNull();
  });

  it.skipIf(!hasTerminals).each([
    ['yes', ['delete', 'talk'], /End 1 session at once\?/, 'y', 0, false],
    ['no', ['delete', 'talk'], /End 1 session at once\?/, 'n', 130, true],
    ['Enter', ['revoke-user', 'user-7'], /End all sessions of user-7 at once\?/, '\r', 130, true],
    ['Ctrl-C', ['erase', 'user-7'], /Erase all that is held of user-7\?/, ctrlC, 130, true],
    ['yes', ['erase', 'user-7'], /Erase all that is held of user-7\?/, 'y', 0, false],
  ])('asks, and takes %s for an answer (%j)', async (_, args, question, key, code, stays) => {
    const { env, store } = await conversation();
    const asked = startInTerminal(['sessions', ...args], env);
    await asked.says(question);
    asked.types(key);
    expect(await asked.exit).toMatchObject({ code });
    const { text, isAsBefore } = seenInTerminal(asked);
    expect(isAsBefore).toBe(true);
    expect(/Nothing was (deleted|erased)\./.test(text)).toBe(stays);
    expect((await store.get('talk')) !== null).toBe(stays);
  });

  it.skipIf(!hasTerminals)('asks, and leaves all as it is when a signal ends that', async () => {
    const { env, store } = await conversation();
    const asked = startInTerminal(['sessions', 'delete', 'talk'], env);
    await asked.says(/End 1 session at once\?/);
    asked.sendToAll('SIGTERM');
    await asked.exit;
    expect(await store.get('talk')).not.toBeNull();
  });

  it.skipIf(!hasTerminals)('tail: Ctrl-C ends it, and leaves the terminal as it was', async () => {
    const { env } = await conversation();
    const tail = startInTerminal(['sessions', 'tail', 'talk'], env);
    await tail.says(/Listening to talk\. Ctrl-C ends it\./);
    tail.types(ctrlC);
    expect(await tail.exit).toMatchObject({ code: 130 });
    expect(seenInTerminal(tail).isAsBefore).toBe(true);
  });

  it('revoke-user: ends all of a user, and none of others', async () => {
    const { env, store } = await conversation();
    const revoked = await run(['sessions', 'revoke-user', 'user-7', '--yes'], env);
    expect(revoked).toMatchObject({ code: 0, stdout: '2 sessions deleted.\n' });
    expect(await store.countActive()).toBe(1);
  });
});

describe('requests for what is held of a user', () => {
  it('export: a session a line, with all that there is of it', async () => {
    const { env } = await conversation();
    const exported = await run(['sessions', 'export', 'user-7'], env);
    expect(exported).toMatchObject({ code: 0, stderr: '2 sessions written.\n' });
    const held = exported.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const talk = held.find(({ session }) => session.id === 'talk');
    expect(talk).toMatchObject({
      session: { userId: 'user-7', metadata: { plan: 'pro' } },
      messages: [{ role: 'user' }, { role: 'assistant', content: 'It comes tomorrow.' }],
      outcomes: [{ key: 'key-1', outcome: { answer: 'It comes tomorrow.' } }],
      liveOutput: [{ type: 'turn.started' }, { type: 'text' }, { type: 'turn.completed' }],
      client: { authenticatedAt: null },
    });
    const none = await run(['sessions', 'export', 'nobody'], env);
    expect(none).toMatchObject({ code: 0, stdout: '', stderr: '0 sessions written.\n' });
  });

  it('export: into a new file that only its owner can read', async () => {
    const { env } = await conversation();
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-export-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'user-7.jsonl');
    const args = ['sessions', 'export', 'user-7', '--out', file];
    expect(await run([...args, '--json'], env)).toMatchObject({
      code: 0,
      stdout: '{"sessions":2,"unreadable":[]}\n',
    });
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toHaveLength(2);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = await run(args, env);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('is there already, and nothing is written over it');
  });

  it('export: a file that cannot hold it all is taken away again', async () => {
    const { env } = await conversation();
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-export-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'user-7.jsonl');
    // No file may have a byte: as on a disk that is full, but for the code.
    const words = `ulimit -f 0; exec '${process.execPath}' packages/holdfast/dist/cli.js sessions export user-7 --out`;
    const { code, stderr } = await inShell(`${words} '${file}'`, env);
    expect(code).toBe(1);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain('would be larger than files may be there');
    expect(readdirSync(folder)).toEqual([]);
    const missing = await run(['sessions', 'export', 'user-7', '--out', join(file, 'x')], env);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('in a folder that is not there');
  });

  it
    .skipIf(!existsSync('/dev/full'))
    .each([['sessions export user-7'], ['sessions list --json'], ['keygen']])(
    '%s into a disk that is full ends with 1 and says so',
    async (words) => {
      const { env } = await conversation();
      const full = `exec '${process.execPath}' packages/holdfast/dist/cli.js ${words} > /dev/full`;
      const { code, stderr } = await inShell(full, env);
      expect(code).toBe(1);
      expect(stderr).toContain('error: The output could not be written (ENOSPC).');
      expect(stderr).not.toMatch(/^ +at /m);
    },
  );

  it('erase: nothing that names the user, the sessions or what was said is left', async () => {
    const { env, redis, store } = await conversation();
    const ask = await asking(redis.url);
    const planted = [
      'user-7',
      'talk',
      'other',
      'Where is my order',
      'comes tomorrow',
      'key-1',
      'pro',
    ];
    const before = await dump(ask);
    for (const secret of planted) expect(before).toContain(secret);
    const erased = await run(['sessions', 'erase', 'user-7', '--yes'], env);
    expect(erased.code).toBe(0);
    expect(erased.stdout).toMatch(/^2 sessions erased\./);
    const after = await dump(ask);
    for (const secret of planted) expect(after).not.toContain(secret);
    expect(after).toContain('alone');
    expect(await store.countActive()).toBe(1);
  });

  it('erase: takes what has expired and is not removed yet, too', async () => {
    const { env, redis, opened } = await scene();
    const ask = await asking(redis.url);
    const store = await opened({ idleTimeoutMs: 200 });
    const { expiresAt } = await store.create('gone', { userId: 'user-7' });
    // Nobody is left who would remove it in the background.
    await store.close();
    const now = async () => Number(((await ask('TIME')) as readonly string[])[0]) * 1000;
    await expect.poll(now, { timeout: 60_000 }).toBeGreaterThan(expiresAt);
    expect(await dump(ask)).toContain('user-7');
    const { code } = await run(['sessions', 'erase', 'user-7', '--yes'], env);
    expect(code).toBe(0);
    const after = await dump(ask);
    for (const secret of ['user-7', 'gone']) expect(after).not.toContain(secret);
  });

  it('export and erase end with 1 where sessions are that no key opens', async () => {
    const { env, opened } = await scene();
    const { createCodec, generateKey, KeyRing } = await import('holdfast/encryption');
    const namespace = env.REDIS_SESSION_KEY_PREFIX;
    const codec = createCodec(KeyRing.parse(generateKey()), { namespace });
    await (await opened({ codec })).create('sealed', { userId: 'user-7' });
    const other = { ...env, SESSION_ENCRYPTION_KEY: generateKey() };
    for (const args of [
      ['export', 'user-7'],
      ['erase', 'user-7', '--yes'],
    ]) {
      const { code, stderr } = await run(['sessions', ...args], other);
      expect(code).toBe(1);
      expect(stderr.replaceAll(/\s+/g, ' ')).toContain(
        '1 sessions that were tried 1 cannot be read: the user may have others',
      );
    }
  });
});

/** Runs what a shell is told to. */
async function inShell(script: string, env: Record<string, string>) {
  const running = startProcess('/bin/sh', ['-c', script], { cwd: inject('builtCopy'), env });
  const { code } = await running.exit;
  return { code, stderr: running.stderr };
}

/** All keys of the server, and the values behind them as they would be moved elsewhere. */
async function dump(ask: Awaited<ReturnType<typeof asking>>): Promise<string> {
  const keys = (await ask('KEYS', '*')) as readonly string[];
  const values = await Promise.all(keys.map((key) => ask('DUMP', key)));
  return [...keys, ...values].join('\n');
}
