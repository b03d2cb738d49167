import { randomUUID } from 'node:crypto';
import { devNull } from 'node:os';
import { createSessionManager, loadConfig, type SessionManager, type TurnEvent } from 'holdfast';
import { expect, inject, it, onTestFinished } from 'vitest';
import { type RunningProcess, startProcess } from '../helpers/child-process.ts';
import { redisForTests } from '../servers/redis-for-tests.ts';

/** A process that begins a turn of two parts, and goes on when it is told to. */
const producer = `
import { createSessionManager, loadConfig } from 'holdfast';
const sessions = await createSessionManager(loadConfig());
const told = new Promise((resolve) => process.once('SIGUSR2', resolve));
await sessions.getOrCreate({ sessionId: 's' });
const { result } = sessions.startTurn('s', { idempotencyKey: 'k' }, async (turn) => {
  turn.emit({ type: 'text', text: 'one' });
  turn.emit({ type: 'text', text: 'two' });
  const kept = setInterval(() => {}, 1_000);
  await told;
  clearInterval(kept);
  turn.emit({ type: 'text', text: 'three' });
  return 'done';
});
console.log('The turn is on its way.');
console.log(await result);
await sessions.close();
`;

interface Stage {
  readonly sessions: SessionManager;
  readonly other: RunningProcess;
}

/** This process reads what another one says. */
async function onStage(): Promise<Stage> {
  const redis = await redisForTests();
  onTestFinished(() => redis.stop());
  const env = {
    SESSION_STORE_TYPE: 'redis',
    REDIS_URL: redis.url,
    REDIS_SESSION_KEY_PREFIX: `live:${randomUUID()}:`,
    SESSION_LOCK_TIMEOUT_SECONDS: '2',
  };
  const sessions = await createSessionManager(loadConfig({ env, envFile: devNull }));
  onTestFinished(() => sessions.close());
  await sessions.getOrCreate({ sessionId: 's' });
  const other = startProcess(process.execPath, ['--input-type=module', '-e', producer], {
    cwd: inject('builtCopy'),
    env,
  });
  await other.says(/The turn is on its way/);
  return { sessions, other };
}

/** The session's live output behind `after`, up to the first event that `isLast`. */
async function read(
  { sessions }: Stage,
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

const told = (events: readonly TurnEvent[]) => events.map(({ type, text }) => text ?? type);

it('a turn that one process runs is read in another, resumed behind what was seen', async () => {
  const stage = await onStage();
  const first = await read(stage, 0, ({ text }) => text === 'two');
  expect(told(first)).toEqual(['turn.started', 'one', 'two']);
  stage.other.send('SIGUSR2');
  const seen = first.at(-1)?.seq ?? 0;
  const rest = await read(stage, seen, ({ type }) => type === 'turn.completed');
  expect(told(rest)).toEqual(['three', 'turn.completed']);
  expect([...first, ...rest].map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  await stage.other.says(/^done$/m);
  expect(await stage.other.exit).toEqual({ code: 0, signal: null });
});

it('a turn whose process is killed ends for its readers, and the next attempt is a turn of its own', async () => {
  const stage = await onStage();
  const first = await read(stage, 0, ({ text }) => text === 'two');
  stage.other.send('SIGKILL');
  const rest = await read(stage, first.at(-1)?.seq ?? 0, ({ type }) => type.startsWith('turn.'));
  expect(rest).toMatchObject([{ type: 'turn.failed', turnId: first[0]?.turnId }]);

  const { events, result } = stage.sessions.startTurn('s', { idempotencyKey: 'k' }, (turn) => {
    turn.emit({ type: 'text', text: 'again' });
    return 'done';
  });
  const again: TurnEvent[] = [];
  for await (const event of events) again.push(event);
  expect(await result).toBe('done');
  expect(told(again)).toEqual(['turn.started', 'again', 'turn.completed']);
  expect(again[0]?.turnId).not.toBe(first[0]?.turnId);
});
