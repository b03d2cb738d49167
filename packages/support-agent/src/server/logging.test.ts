import { pino } from 'pino';
import { expect, it } from 'vitest';
import { operator, startTestApp } from '../testing/test-app.ts';

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
