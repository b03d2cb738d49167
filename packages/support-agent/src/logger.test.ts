import { expect, it } from 'vitest';
import { createLogger } from './logger.ts';

it('strikes out what must not be logged, wherever a line would have it', () => {
  let log = '';
  const logger = createLogger('trace', { write: (line) => (log += line) });
  const headers = { authorization: 'Bearer planted', cookie: 'holdfast=planted', accept: 'json' };
  logger.info({ req: { headers }, res: { headers: { 'set-cookie': 'planted' } } }, 'a request');
  logger.info({ headers, token: 'planted', password: 'planted', apiKey: 'planted' }, 'secrets');
  logger.info({ body: { message: 'planted', metadata: { plan: 'planted' } } }, 'a body');
  logger.info({ userId: 'planted', ipAddress: 'planted', text: 'planted' }, 'who and what');
  const deep = { adminApiKey: 'planted', user_agent: 'planted', 'set-cookie': 'planted' };
  logger.info({ ...deep, one: deep, two: { below: deep } }, 'at any depth');
  logger.info({ err: new Error('kept') }, 'an error');
  logger.info({ sessionId: 'kept', tokenHash: 'kept' }, 'ids');
  expect(log).not.toContain('planted');
  expect(log).toContain('"accept":"json"');
  expect(log.match(/kept"/g)).toHaveLength(3);
  expect(
    log
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).msg),
  ).toEqual(['a request', 'secrets', 'a body', 'who and what', 'at any depth', 'an error', 'ids']);
});
