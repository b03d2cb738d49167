import { LockTimeoutError, OutcomeUnknownError, StoreUnavailableError } from 'holdfast';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { expectProblem, operator, startTestApp } from '../testing/test-app.ts';

it('logs requests and refusals without a message, a token or the operator key', async () => {
  let log = '';
  const logger = pino({ level: 'trace' }, { write: (line) => (log += line) });
  const { open, say, request, faults } = await startTestApp({ logger });
  const session = await open();
  await say(session, 'my secret question');
  await request('GET', session.url, { headers: { cookie: `holdfast=${session.token}` } });
  await request('GET', session.url, { headers: operator });
  await request('GET', '/api/sessions/nobody', { headers: session.auth });
  await say(session, `my secret ${'x'.repeat(20_000)}`);
  await request('POST', `${session.url}/messages`, {
    headers: { ...session.auth, 'content-type': 'application/json' },
    payload: '{"message":"my secret',
  });
  faults.fail('begin');
  await say(session, 'my secret question');
  expect(log).toContain(session.url);
  expect(log).toContain('INVALID_TOKEN');
  expect(log).toContain('STORE_UNAVAILABLE');
  expect(log).not.toContain('my secret');
  expect(log).not.toContain(session.token);
  expect(log).not.toContain(operator.authorization.slice('Bearer '.length));
});

it('says of a session that stays busy what operators look for', async () => {
  const lines: { level: number; msg: string; err?: object }[] = [];
  const logger = pino({}, { write: (line) => lines.push(JSON.parse(line)) });
  const { open, say, faults } = await startTestApp({ logger });
  const session = await open();
  const message = `Failed to acquire lock for session ${session.id} within 60000 ms.`;
  faults.fail('begin', { error: new LockTimeoutError(message) });
  expectProblem(await say(session, 'Hello'), 503, 'LOCK_TIMEOUT');
  const [line, ...others] = lines.filter(({ level }) => level > 30);
  expect(line).toMatchObject({ level: 40, msg: expect.stringMatching(/^Failed to acquire lock/) });
  expect(line?.err).toBeUndefined();
  expect(others).toEqual([]);
});

it('keeps to itself where the store is', async () => {
  let log = '';
  const logger = pino({}, { write: (line) => (log += line) });
  const { open, say, faults } = await startTestApp({ logger });
  const session = await open();
  const where = 'Redis at redis://10.1.2.3:6379/0 refused the connection.';
  for (const [error, code, times] of [
    [new StoreUnavailableError(where), 'STORE_UNAVAILABLE', 1],
    [new OutcomeUnknownError(where, { nonce: 'n' }), 'OUTCOME_UNKNOWN', 2],
  ] as const) {
    faults.fail('begin', { error, times });
    const response = await say(session, 'Hello');
    expectProblem(response, 503, code);
    expect(response.body).not.toContain('10.1.2.3');
  }
  expect(log.match(/redis:\/\/10\.1\.2\.3:6379\/0 refused/g)?.length).toBeGreaterThanOrEqual(2);
});

it('has one line for each turn, with its ids and times', async () => {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({}, { write: (line) => lines.push(JSON.parse(line)) });
  const { open, say, faults } = await startTestApp({ logger });
  const session = await open();
  await say(session, 'Hello', { 'x-request-id': 'request-1' });
  faults.fail('commit');
  await say(session, 'Hello', { 'x-request-id': 'request-2' });
  const [done, failed, ...more] = lines.filter(({ msg }) => String(msg).startsWith('turn '));
  expect(more).toEqual([]);
  expect(done).toMatchObject({
    level: 30,
    msg: 'turn committed',
    reqId: 'request-1',
    sessionId: session.id,
    turnId: expect.any(String),
    attempt: 1,
    code: null,
    waitMs: expect.any(Number),
    workMs: expect.any(Number),
    commitMs: expect.any(Number),
    checkpoints: 1,
  });
  expect(failed).toMatchObject({
    level: 40,
    msg: 'turn failed',
    reqId: 'request-2',
    code: 'STORE_UNAVAILABLE',
  });
});
