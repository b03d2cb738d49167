import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKey } from 'holdfast/encryption';
import { describe, expect, it, onTestFinished } from 'vitest';
import { redisForTests } from '../servers/redis-for-tests.ts';
import {
  holdfast,
  logOf,
  type OpenSession,
  operatorKey,
  ServerOnRedis,
} from './server-on-redis.ts';

const keptSessions = 4;

/** A server whose keys are in a file, which it reads again when it is told to. */
class KeyedServer {
  readonly server: ServerOnRedis;
  readonly #file: string;
  #rereads = 0;

  private constructor(server: ServerOnRedis, file: string) {
    this.server = server;
    this.#file = file;
  }

  static async start(redisUrl: string, keys: readonly string[], env = {}): Promise<KeyedServer> {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-keys-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'keys');
    writeFileSync(file, keys.join('\n'));
    const settings = { SESSION_ENCRYPTION_KEY_FILE: file, ...env };
    const server = await ServerOnRedis.start(redisUrl, settings);
    server.secrets.keep(keys);
    return new KeyedServer(server, file);
  }

  async takes(keys: readonly string[]): Promise<void> {
    this.server.secrets.keep(keys);
    writeFileSync(this.#file, keys.join('\n'));
    this.server.process.send('SIGHUP');
    this.#rereads += 1;
    const reread = () =>
      logOf(this.server.process).filter(({ msg }) => msg === 'keys read again').length;
    await expect.poll(reread, { timeout: 60_000 }).toBe(this.#rereads);
  }
}

/** Customers who talk on, each message at another server, until they are told to stop. */
class Traffic {
  readonly sessions: readonly OpenSession[];
  readonly failures: string[] = [];
  answered = 0;
  #over = false;
  readonly #talks: Promise<void>[];

  constructor(sessions: readonly OpenSession[], servers: readonly KeyedServer[]) {
    this.sessions = sessions;
    this.#talks = sessions.map(async (session, at) => {
      for (let turn = at; !this.#over; turn++) {
        const { server } = servers[turn % servers.length] as KeyedServer;
        const { status, body } = await server.say(session, `How long does delivery take, ${turn}?`);
        if (status !== 200) this.failures.push(JSON.stringify(body));
        this.answered += 1;
        const { status: read } = await server.request('GET', `/api/sessions/${session.id}`, {
          token: session.token,
        });
        if (read !== 200) this.failures.push(`GET ${read}`);
      }
    });
  }

  /** Until so many more were answered. */
  async goesOn(more: number): Promise<void> {
    const wanted = this.answered + more;
    await expect.poll(() => this.answered >= wanted, { timeout: 60_000 }).toBe(true);
  }

  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#talks);
  }
}

describe('a change of keys', () => {
  it('fails no request and loses no session, on three servers under traffic', async () => {
    const { url } = await redisForTests();
    const [old, next] = [generateKey(), generateKey()];
    const servers = await Promise.all([1, 2, 3].map(() => KeyedServer.start(url, [old])));
    const [first] = servers as [KeyedServer, KeyedServer, KeyedServer];
    const sessions = await Promise.all(
      Array.from({ length: keptSessions }, () => first.server.open()),
    );
    const traffic = new Traffic(sessions, servers);
    await traffic.goesOn(5);
    for (const keys of [
      [old, next],
      [next, old],
    ]) {
      for (const server of servers) {
        await server.takes(keys);
        await traffic.goesOn(3);
      }
    }
    const rekeying = holdfast(url, ['rekey'], {
      SESSION_ENCRYPTION_KEY: `${next},${old}`,
    });
    expect(await rekeying.exit, rekeying.stderr).toMatchObject({ code: 0 });
    for (const server of servers) {
      await server.takes([next]);
      await traffic.goesOn(3);
    }
    await traffic.end();
    expect(traffic.failures).toEqual([]);
    const counts = await Promise.all(
      sessions.map(async ({ id, token }) => {
        const { body } = await first.server.request('GET', `/api/sessions/${id}`, { token });
        return Number(body.message_count);
      }),
    );
    expect(counts.reduce((sum, count) => sum + count)).toBe(traffic.answered);
  });

  it('that an instance has missed is named in its log, refused, and made good by SIGHUP', async () => {
    const { url } = await redisForTests();
    const [own, others] = [generateKey(), generateKey()];
    const knowing = await KeyedServer.start(url, [others]);
    const missing = await KeyedServer.start(url, [own]);
    const session = await knowing.server.open();
    expect((await knowing.server.say(session, 'How long does delivery take?')).status).toBe(200);
    const refused = await missing.server.say(session, 'And to islands?', randomUUID());
    expect(refused.status).toBe(500);
    expect(refused.body).toMatchObject({ code: 'DECRYPTION' });
    expect(JSON.stringify(refused.body)).not.toContain('ring');
    await expect
      .poll(() => missing.server.process.stdout, { timeout: 60_000 })
      .toMatch(/key id [0-9a-f]{8} is not in the ring/);
    await missing.takes([own, others]);
    expect((await missing.server.say(session, 'And to islands?')).status).toBe(200);
    expect(await missing.server.history(session)).toHaveLength(4);
  });

  it('that leaves the key of a session out: operators are told of it in each list, and can end it', async () => {
    const { url } = await redisForTests();
    const [old, next] = [generateKey(), generateKey()];
    // What a server has read it may still have in memory, and then needs no key for it.
    const keyed = await KeyedServer.start(url, [old], { SESSION_L1_CACHE_ENABLED: 'false' });
    const asOperator = { token: operatorKey };
    const list = async (path: string) => (await keyed.server.request('GET', path, asOperator)).body;
    const openFor = async (user: string) => {
      const body = { user_id: user };
      const opened = await keyed.server.request('POST', '/api/sessions', { ...asOperator, body });
      return { id: String(opened.body.session_id), token: String(opened.body.token) };
    };
    const lost = await openFor('user-7');
    await keyed.takes([next]);
    const own = await openFor('user-7');
    for (const path of ['/api/sessions', '/api/sessions?status=active']) {
      expect(await list(path), path).toMatchObject({
        sessions: [{ session_id: own.id }],
        unreadable: [
          {
            session_id: lost.id,
            code: 'DECRYPTION',
            reason: expect.stringMatching(/key id [0-9a-f]{8} /),
          },
        ],
      });
    }
    const others = await keyed.server.request('GET', `/api/sessions/${own.id}/others`, own);
    expect(others).toMatchObject({ status: 200, body: { sessions: [], next_cursor: null } });
    expect(JSON.stringify(others.body)).not.toContain(lost.id);

    const path = `/api/sessions/${lost.id}`;
    for (const method of ['GET', 'DELETE']) {
      const refused = await keyed.server.request(method, path, lost);
      expect(refused, `${method} by its customer`).toMatchObject({ status: 500 });
    }
    expect(await keyed.server.request('GET', path, asOperator)).toMatchObject({
      status: 500,
      body: { code: 'DECRYPTION' },
    });
    expect((await keyed.server.request('DELETE', path, asOperator)).status).toBe(204);
    expect((await keyed.server.request('DELETE', path, asOperator)).status).toBe(404);
    expect(await list('/api/sessions')).toMatchObject({ unreadable: [] });
  });

  it('goes on where it was when `holdfast rekey` was killed', async () => {
    const { url } = await redisForTests();
    const [old, next] = [generateKey(), generateKey()];
    const server = await KeyedServer.start(url, [old]);
    await Promise.all(Array.from({ length: 450 }, () => server.server.open()));
    const env = { SESSION_ENCRYPTION_KEY: `${next},${old}` };
    const killed = holdfast(url, ['rekey'], env);
    await killed.says(/\d+ of 450 sessions/);
    await killed.stop();
    const again = holdfast(url, ['rekey'], env);
    expect(await again.exit, again.stderr).toMatchObject({ code: 0 });
    const [, values] =
      /^450 sessions looked at, (\d+) values encrypted with key [0-9a-f]{8}\.$/m.exec(
        again.stdout,
      ) ?? [];
    // Of each session state and credentials; what the first run said is done, and maybe more.
    const done = Number(/^(\d+) of 450/m.exec(killed.stdout)?.[1]);
    expect(Number(values)).toBeLessThanOrEqual(2 * (450 - done));
    const check = holdfast(url, ['rekey'], { SESSION_ENCRYPTION_KEY: next });
    expect(await check.exit, check.stderr).toMatchObject({ code: 0 });
    expect(check.stdout).toMatch(/^450 sessions looked at, 0 values/m);
  });
});
