import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import {
  EventReader,
  type ReceivedEvent,
} from '../../packages/support-agent/src/testing/event-reader.ts';
import { redisForTests } from '../servers/redis-for-tests.ts';
import { PacedServer } from './paced-server.ts';
import {
  type OpenSession,
  operatorKey,
  type ServerClient,
  ServerOnRedis,
} from './server-on-redis.ts';

async function settings(): Promise<Record<string, string>> {
  const redis = await redisForTests();
  onTestFinished(() => redis.stop());
  return {
    SESSION_STORE_TYPE: 'redis',
    REDIS_URL: redis.url,
    REDIS_SESSION_KEY_PREFIX: `streams:${randomUUID()}:`,
    // How long a session stays held by a server that was killed.
    SESSION_LOCK_TIMEOUT_SECONDS: '2',
  };
}

const question = 'How long does a refund take?';
const authorization = ({ token }: OpenSession) => ({ authorization: `Bearer ${token}` });

/** Sends the question, and reads the answer as it is made. */
function say(server: ServerClient, session: OpenSession): Promise<EventReader> {
  return EventReader.open(`${server.address}/api/sessions/${session.id}/messages`, {
    headers: { ...authorization(session), 'idempotency-key': 'k-1' },
    body: { message: question },
  });
}

function watch(server: ServerClient, session: OpenSession, seen?: string): Promise<EventReader> {
  return EventReader.open(`${server.address}/api/sessions/${session.id}/stream`, {
    headers: { ...authorization(session), ...(seen !== undefined && { 'last-event-id': seen }) },
  });
}

const isText = (text: string) => (event: ReceivedEvent) => event.data.text === text;
const told = (events: readonly ReceivedEvent[]) =>
  events.map(({ event, data }) => data.text ?? event);
const rolesAndTexts = async (server: ServerClient, session: OpenSession) =>
  (await server.history(session)).map(({ role, content }) => [role, content.text]);

it('a stream begun at one server is resumed at another, without a gap or a doubled piece', async () => {
  const env = await settings();
  const count = 300;
  const pieces = Array.from({ length: count }, (_, index) => `${index} `);
  const half = count / 2;
  const servers = await Promise.all([
    PacedServer.start(env, [...pieces.slice(0, half), null, ...pieces.slice(half)]),
    PacedServer.start(env, []),
  ]);
  const [first, second] = servers;
  const session = await first.open();

  // The reader of the answer goes to the other server, and back, and so on, while it is made.
  let reader = await say(first, session);
  const seen: ReceivedEvent[] = [];
  let hops = 0;
  while (!seen.some(({ event }) => event === 'turn.completed')) {
    const wanted = seen.length + 20;
    const isEnough = (event: ReceivedEvent) =>
      Number(event.id) >= wanted || event.event === 'turn.completed';
    seen.push(...(await reader.until(isEnough)));
    reader.leave();
    hops += 1;
    // It has not been made when these are read.
    if (hops === 7) first.goOn();
    reader = await watch(servers[hops % 2] ?? first, session, seen.at(-1)?.id);
  }
  expect(hops).toBeGreaterThan(10);
  expect(told(seen)).toEqual(['turn.started', ...pieces, 'answer', 'turn.completed']);
  expect(seen.map(({ id }) => Number(id))).toEqual(seen.map((_, index) => index + 1));

  // Whoever comes late reads the same.
  const late = await watch(second, session, '0');
  expect(await late.until(({ event }) => event === 'turn.completed')).toEqual(seen);
  expect(await rolesAndTexts(second, session)).toEqual([
    ['user', question],
    ['assistant', pieces.join('')],
  ]);
});

it('a stream whose server is killed ends with an error at another; a retry there completes it', async () => {
  const env = await settings();
  const [doomed, survivor] = await Promise.all([
    PacedServer.start(env, ['one ', 'two ', null, 'three']),
    ServerOnRedis.start(env.REDIS_URL ?? '', env),
  ]);
  const session = await doomed.open();
  const watching = await watch(survivor, session);
  const reader = await say(doomed, session);
  const seen = await reader.until(isText('two '));
  doomed.process.send('SIGKILL');
  await reader.all(); // its connection is cut, and nothing more came
  expect(told(reader.events)).toEqual(['turn.started', 'one ', 'two ']);

  const resumed = await watch(survivor, session, seen.at(-1)?.id);
  const [end, ...more] = await resumed.until(({ event }) => event === 'turn.failed');
  expect([end?.id, end?.data, more]).toMatchObject(['4', { code: 'LEASE_LOST' }, []]);

  const retry = await say(survivor, session);
  const again = await retry.all();
  expect(again[0]).toMatchObject({ event: 'turn.started', id: '5', data: { attempt: 2 } });
  const last = again.at(-1);
  expect(last).toMatchObject({
    event: 'reply',
    data: { message: expect.stringContaining('five working days') },
  });
  expect(await rolesAndTexts(survivor, session)).toEqual([
    ['user', question],
    ['assistant', last?.data.message],
  ]);
  const path = `/api/sessions/${session.id}`;
  const { body } = await survivor.request('GET', path, { token: operatorKey });
  expect(body.message_count).toBe(1);

  // Who watched from the beginning saw both attempts, each whole.
  const all = await watching.until(({ event }) => event === 'turn.completed');
  expect(all.map(({ id }) => Number(id))).toEqual(all.map((_, index) => index + 1));
  expect(all.slice(0, 3)).toEqual(seen);
  expect(all.slice(4)).toEqual(again.slice(0, -1));
});

it('a stream of a session that is ended at one server ends at another', async () => {
  const env = await settings();
  const [first, second] = await Promise.all([
    PacedServer.start(env, []),
    PacedServer.start(env, []),
  ]);
  const session = await first.open();
  const reader = await watch(second, session);
  const { token } = session;
  const ended = await first.request('DELETE', `/api/sessions/${session.id}`, { token });
  expect(ended.status).toBe(204);
  expect(told(await reader.all())).toEqual(['session.ended']);
});
