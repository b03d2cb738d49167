import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { generateKey, KeyRing } from 'holdfast/encryption';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { run } from '../../../packages/holdfast/src/lib/cli/program.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

class Collected extends Writable {
  text = '';
  readonly isTTY?: boolean;
  readonly columns = 80;
  readonly #seen: (text: string) => void;

  constructor(isTTY = false, seen: (text: string) => void = () => {}) {
    super();
    if (isTTY) this.isTTY = true;
    this.#seen = seen;
  }

  override _write(chunk: unknown, _: string, done: () => void): void {
    this.text += String(chunk);
    this.#seen(this.text);
    done();
  }
}

/** The command line's own functions, in this process: what `tests/cli` runs as a program. */
async function command(
  args: readonly string[],
  env: Record<string, string>,
  { isTTY = false, stopAt }: { isTTY?: boolean; stopAt?: RegExp } = {},
) {
  const stopping = new AbortController();
  const out = new Collected(isTTY, (text) => {
    if (stopAt?.test(text)) stopping.abort();
  });
  const err = new Collected();
  const terminal = { env, in: Readable.from([]), out, err, signal: stopping.signal };
  const settings = args[0] === 'keygen' ? [] : ['--settings', '/dev/null'];
  const code = await run([...args, ...settings], terminal);
  return { code, out: out.text, err: err.text };
}

describe('commands of the command line', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'no'] });
  });
  afterAll(() => redis.stop());

  async function scene() {
    const place = new SharedNamespace(redis.url);
    const sessions = await place.instance();
    const env = {
      ...{ SESSION_STORE_TYPE: 'redis', REDIS_URL: redis.url },
      ...{ REDIS_SESSION_KEY_PREFIX: place.keyPrefix, SESSION_LOCK_TIMEOUT_SECONDS: '600' },
      ...{ REDIS_SOCKET_TIMEOUT: '60', REDIS_SOCKET_CONNECT_TIMEOUT: '60' },
    };
    for (const id of ['one', 'two']) await sessions.store.create(id, { userId: 'ada' });
    await sessions.turn('one', { idempotencyKey: 'key-1' }, async (turn) => {
      turn.append({ role: 'user', content: 'Hello' });
      turn.emit({ type: 'text', text: 'Hi' });
      return { answer: 'Hi' };
    });
    return { env, sessions, store: sessions.store };
  }

  it('doctor finds a store well, and says what is wrong with others', async () => {
    const { env } = await scene();
    const well = await command(['doctor'], { ...env, SESSION_ENCRYPTION_KEY: generateKey() });
    // What was stored in the clear is not read where encryption is on.
    expect(well.code).toBe(1);
    expect(well.out).toMatch(/✗ keys +2 of 2 sessions/);
    const plain = await command(['doctor', '--json'], env);
    expect(JSON.parse(plain.out)).toMatchObject({ ok: true });
    const broken = await command(['doctor'], { API_PORT: 'x', LOG_LEVEL: 'loud' });
    expect(broken.out).toMatch(/2 checks failed\.\n$/);
    const memory = await command(['doctor'], {});
    expect(memory.out).toContain('All is well.');
    const nobody = await command(['doctor'], { ...env, REDIS_URL: 'redis://127.0.0.1:1' });
    expect(nobody).toMatchObject({ code: 1 });
  });

  it('stats, once and again', async () => {
    const { env } = await scene();
    expect((await command(['stats'], env)).out).toMatch(/^sessions {4}2$/m);
    expect(JSON.parse((await command(['stats', '--json'], env)).out).activeSessions).toBe(2);
    for (const isTTY of [true, false]) {
      const watched = await command(['stats', '--watch'], env, { isTTY, stopAt: /sessions/ });
      expect(watched.code).toBe(130);
    }
    const lines = await command(['stats', '--watch', '--json'], env, { stopAt: /\n/ });
    expect(JSON.parse(lines.out)).toMatchObject({ activeSessions: 2 });
  });

  it('sessions are listed, shown and followed', async () => {
    const { env } = await scene();
    const listed = await command(['sessions', 'list', '--user', 'ada'], env, { isTTY: true });
    expect(listed.out.split('\n')).toHaveLength(4);
    const some = await command(['sessions', 'list', '--limit', '1', '--json'], env);
    expect(JSON.parse(some.out)).toMatchObject({ isAll: false, sessions: [{ userId: 'ada' }] });
    expect((await command(['sessions', 'list', '--user', 'bob'], env)).out).toBe('No sessions.\n');
    const shown = await command(['sessions', 'show', 'one'], env);
    expect(shown.out).toContain('Hello');
    const json = await command(['sessions', 'show', 'one', '--json', '--messages', '0'], env);
    expect(JSON.parse(json.out)).toMatchObject({ session: { id: 'one' }, messages: [] });
    expect(await command(['sessions', 'show', 'none'], env)).toMatchObject({ code: 1, out: '' });
    const stopped = await command(['sessions', 'tail', 'one', '--after', '0'], env, {
      stopAt: /turn\.completed/,
    });
    expect(stopped).toMatchObject({ code: 130 });
  });

  it('sessions are exported, deleted, revoked and erased', async () => {
    const { env, store } = await scene();
    const exported = await command(['sessions', 'export', 'ada'], env);
    expect(exported.out.trimEnd().split('\n')).toHaveLength(2);
    expect(exported.out).toContain('"outcomes":[{"key":"key-1"');
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-export-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'ada');
    const args = ['sessions', 'export', 'ada', '--out', file];
    expect(await command(args, env)).toMatchObject({ code: 0, out: '2 sessions written.\n' });
    expect(readFileSync(file, 'utf8')).toContain('Hello');
    expect(await command(args, env)).toMatchObject({ code: 1 });
    expect(await command(['sessions', 'delete', 'two'], env)).toMatchObject({ code: 2 });
    const deleted = await command(['sessions', 'delete', 'two', 'none', '--yes'], env);
    expect(deleted).toMatchObject({ code: 1, out: '1 session deleted.\n' });
    const erased = await command(['sessions', 'erase', 'ada', '--yes', '--json'], env);
    expect(erased).toMatchObject({ code: 0, out: '{"erased":1}\n' });
    await store.create('three', { userId: 'bob' });
    const revoked = await command(['sessions', 'revoke-user', 'bob', '--yes', '--json'], env);
    expect(revoked.out).toBe('{"deleted":1}\n');
    expect(await store.countActive()).toBe(0);
  });

  it('cleanup, rekey, keygen and bench do their work', async () => {
    const { env } = await scene();
    expect((await command(['cleanup'], env)).out).toBe('0 expired sessions removed.\n');
    const made = await command(['keygen'], {}, { isTTY: true });
    expect(() => KeyRing.parse(made.out.trim())).not.toThrow();
    expect(made.err).toContain('SESSION_ENCRYPTION_KEY');
    expect(JSON.parse((await command(['keygen', '--fernet', '--json'], {})).out)).toHaveProperty(
      'keyId',
    );
    const keyed = { ...env, SESSION_ENCRYPTION_KEY: generateKey() };
    const plaintext = { ...keyed, SESSION_ENCRYPTION_ALLOW_PLAINTEXT: 'true' };
    const rekeyed = await command(['rekey'], plaintext, { isTTY: true });
    expect(rekeyed.out).toMatch(/2 sessions looked at, \d+ values encrypted with key/);
    expect(JSON.parse((await command(['rekey', '--json'], keyed)).out)).toMatchObject({
      rewritten: 0,
    });
    expect(await command(['rekey'], env)).toMatchObject({ code: 1 });
    const measured = await command(['bench', '--seconds', '1'], env, { isTTY: true });
    expect(measured.out).toMatch(/turn, one at a time/);
    expect(await command(['bench'], {})).toMatchObject({ code: 1 });
    expect(await command(['nothing'], {})).toMatchObject({ code: 2 });
  });
});
