import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TurnEvent } from '../../../packages/holdfast/src/lib/model/turn-event.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { InstanceProgram } from '../support/failovers/instance-process.ts';
import { type Instance, SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
let program: InstanceProgram;
beforeAll(async () => {
  [server, program] = await Promise.all([startRedis(), InstanceProgram.build()]);
});
afterAll(async () => {
  program.remove();
  await server.stop();
});

/** The events behind `after`, up to and including the first that `isLast` says. */
async function read(
  sessions: Instance,
  after: number,
  isLast: (event: TurnEvent) => boolean,
): Promise<TurnEvent[]> {
  const events: TurnEvent[] = [];
  for await (const event of sessions.subscribe('s', { after })) {
    events.push(event);
    if (isLast(event)) break;
  }
  return events;
}

const isEnd = ({ type }: TurnEvent) => type === 'turn.completed' || type === 'turn.failed';

describe('live output', () => {
  it('is read on at another instance, without a gap and without anything twice', async () => {
    const place = new SharedNamespace(server.url, { outputIntervalMs: 1 });
    const [producer, one, other] = [
      await place.instance(),
      await place.instance(),
      await place.instance(),
    ];
    await producer.store.create('s');
    const texts = Array.from({ length: 200 }, (_, index) => `piece ${index}`);
    let left = () => {};
    const readerLeft = new Promise<void>((resolve) => {
      left = resolve;
    });
    const turn = producer.turn('s', async (running) => {
      for (const text of texts.slice(0, 100)) {
        running.emit({ type: 'text', text });
        await new Promise(setImmediate);
      }
      await readerLeft;
      for (const text of texts.slice(100)) {
        running.emit({ type: 'text', text });
        await new Promise(setImmediate);
      }
    });
    const first = await read(one, 0, ({ seq }) => seq === 50);
    left();
    const rest = await read(other, first.at(-1)?.seq ?? 0, isEnd);
    await turn;
    const events = [...first, ...rest];
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.map(({ type, text }) => text ?? type)).toEqual([
      'turn.started',
      ...texts,
      'turn.completed',
    ]);
    expect(await read(one, 0, isEnd)).toEqual(events);
  });

  it('of a process that is killed ends with its lease, and a retry goes on as the second attempt', async () => {
    const place = new SharedNamespace(server.url);
    // Long enough for the process to renew it until it is killed: an attempt that fails by itself, and
    // has stored nothing, does not count.
    const leaseMs = 5_000;
    const sessions = await place.instance();
    await sessions.store.create('s');
    const producer = await program.start({
      store: { url: server.url, keyPrefix: place.keyPrefix },
      leaseMs,
    });
    producer.turn('answer', 's', { idempotencyKey: 'k' }, ['Let me', ' see']);
    await producer.says('working', 'answer');
    const reading = read(sessions, 0, isEnd);
    await read(sessions, 0, ({ text }) => text === ' see');
    await producer.kill();
    const events = await reading;
    expect(events.map(({ type, code }) => code ?? type)).toEqual([
      'turn.started',
      'text',
      'text',
      'LEASE_LOST',
    ]);
    expect(new Set(events.map(({ turnId }) => turnId)).size).toBe(1);
    const { events: retried, result } = sessions.startTurn(
      's',
      { idempotencyKey: 'k' },
      async (turn) => {
        turn.emit({ type: 'text', text: 'Found it' });
        turn.append({ role: 'assistant', content: 'Found it' });
        return turn.attempt;
      },
    );
    const seen: TurnEvent[] = [];
    for await (const event of retried) seen.push(event);
    expect(await result).toBe(2);
    expect(seen).toMatchObject([
      { seq: 5, type: 'turn.started', attempt: 2 },
      { seq: 6, type: 'text', text: 'Found it' },
      { seq: 7, type: 'turn.completed' },
    ]);
    expect(await sessions.turn('s', { idempotencyKey: 'k' }, async () => 0)).toBe(2);
    expect((await sessions.store.messages('s')).map(({ content }) => content)).toEqual([
      'Found it',
    ]);
  });
});
