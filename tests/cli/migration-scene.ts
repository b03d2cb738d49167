import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCodec, KeyRing } from 'holdfast/encryption';
import { RedisSessionStore } from 'holdfast/redis';
import { expect, onTestFinished } from 'vitest';
import type { Session } from '../../packages/holdfast/src/lib/model/session.ts';
import { SecretWatch } from '../../packages/support-agent/src/testing/secret-watch.ts';
import { connected } from '../redis/connection/fixtures.ts';
import { holdfast } from '../server/server-on-redis.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { type PythonRecord, whyNoPython } from './python-v2.ts';

/** Why there is no Python v2.0 to migrate from; `null` when there is. */
export const missing = whyNoPython();
if (missing !== null) console.warn(`Skipped: ${missing}`);

export const prefix = 'agent:session:';
export const command = ['migrate', 'python-v2'];

/** A server that the command has no warning about. */
export const durable = { args: ['--appendonly', 'yes', '--appendfsync', 'no'] };

/** Against hangs only: other tests may have the machine. */
export const patient = {
  ...{ REDIS_SOCKET_TIMEOUT: '60', REDIS_SOCKET_CONNECT_TIMEOUT: '60' },
  SESSION_LOCK_TIMEOUT_SECONDS: '600',
};
export const patience = { timeoutMs: 60_000, connectTimeoutMs: 60_000 };

interface Report {
  readonly applied: boolean;
  readonly deleting: boolean;
  readonly found: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly kept: Readonly<Record<string, readonly string[]>>;
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
  readonly removed: number;
}

/** The command on one Redis. What it prints fits a terminal and has nothing that is secret. */
export class Scene {
  readonly redis: RedisServer;
  readonly env: Readonly<Record<string, string>>;
  readonly #secrets: SecretWatch;
  #printed = '';

  private constructor(redis: RedisServer, env: Record<string, string>) {
    this.redis = redis;
    this.env = env;
    this.#secrets = new SecretWatch(() => this.#printed);
    for (const [name, value] of Object.entries(env)) {
      if (/KEY$|URL$/.test(name)) this.#secrets.keep(value);
    }
    // Of what the sessions hold.
    for (const text of ['user:1@example.org', 'a "quoted" \\ text', 'customer-secret-7f3a9c']) {
      this.#secrets.keep(text);
    }
  }

  static async open(env: Record<string, string> = {}): Promise<Scene> {
    const redis = await startRedis(durable);
    onTestFinished(() => redis.stop());
    return new Scene(redis, env);
  }

  start(...args: string[]) {
    return holdfast(this.redis.url, [...command, ...args], { ...patient, ...this.env });
  }

  async run(...args: string[]) {
    const running = this.start(...args);
    const { code } = await running.exit;
    const { stdout, stderr } = running;
    this.#printed += stdout + stderr;
    const lines = args.includes('--json') ? [] : (stdout + stderr).split('\n');
    expect(lines.filter((line) => [...line].length > 80)).toEqual([]);
    expect(stdout + stderr, 'no terminal, no colours').not.toContain('\u001b');
    return { code, stdout, stderr };
  }

  async report(...args: string[]): Promise<Report & { code: number | null }> {
    const { code, stdout, stderr } = await this.run(...args, '--json');
    expect(stderr).toBe('');
    expect(stdout.endsWith('}\n') && stdout.indexOf('\n') === stdout.length - 1).toBe(true);
    return { code, ...JSON.parse(stdout) };
  }

  async store(keys = this.env.SESSION_ENCRYPTION_KEY): Promise<RedisSessionStore> {
    const codec = keys && createCodec(KeyRing.parse(keys), { namespace: prefix });
    const store = await RedisSessionStore.connect({
      url: this.redis.url,
      ...patience,
      ...(codec ? { codec } : {}),
    });
    onTestFinished(() => store.close());
    return store;
  }

  async ask(...words: string[]) {
    return (await connected(this.redis.url)).send(words);
  }
}

/** In ms, rounded down: Python writes microseconds in UTC, and no fraction where it is 0. */
export function ms(iso: string): number {
  return Date.parse(`${iso.slice(0, 23)}Z`);
}

/** The session that Holdfast must have, but for its end. */
export function expected(record: PythonRecord) {
  const { request_id: requestId, metadata } = record;
  return {
    id: record.session_id,
    userId: record.user_id,
    threadId: record.thread_id,
    status: 'active',
    escalated: record.escalated,
    messageCount: record.message_count,
    counters: record.message_count === 0 ? {} : { messageCount: record.message_count },
    metadata: requestId === null ? metadata : { ...metadata, pythonV2: { requestId } },
    createdAt: ms(record.created_at),
    updatedAt: ms(record.updated_at),
    lastActivity: ms(record.last_activity),
    version: 1,
  };
}

export async function sessionsOf(store: RedisSessionStore, records: readonly PythonRecord[]) {
  const ids = records.map(({ session_id }) => session_id);
  const found = new Map<string, Session>();
  for (let at = 0; at < ids.length; at += 500) {
    for (const [id, session] of await store.getBatch(ids.slice(at, at + 500))) {
      found.set(id, session);
    }
  }
  return ids.map((id) => found.get(id) ?? null);
}

export function withoutEnd(session: Session | null) {
  if (session === null) return null;
  const { expiresAt: _, ...rest } = session;
  return rest;
}

export async function expectAll(store: RedisSessionStore, records: readonly PythonRecord[]) {
  const sessions = await sessionsOf(store, records);
  expect(sessions.map(withoutEnd)).toEqual(records.map(expected));
  expect(await store.countActive()).toBe(records.length);
}

/** A file that ends with the test. */
export function keyFile(key: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-old-key-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'key'), `${key}\n`);
  return join(folder, 'key');
}
