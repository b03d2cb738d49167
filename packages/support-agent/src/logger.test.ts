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

function lineOf(log: (logger: ReturnType<typeof createLogger>) => void): string {
  let line = '';
  log(createLogger('trace', { write: (text) => (line += text) }));
  return line;
}

it.each<[string, object]>([
  ['a list', { all: [{ token: 'planted' }, [{ cookie: 'planted' }]] }],
  ['an error’s own field', { err: Object.assign(new Error('kept'), { password: 'planted' }) }],
  ['its config', { err: Object.assign(new Error(), { config: { authorization: 'planted' } }) }],
  ['one of many', { err: new AggregateError([Object.assign(new Error(), { token: 'planted' })]) }],
  ['an error below', { failed: { by: Object.assign(new Error(), { token: 'planted' }) } }],
  [
    'an instance',
    {
      client: new (class {
        userAgent = 'planted';
      })(),
    },
  ],
  ['five levels', { a: { b: { c: { d: { e: { userId: 'planted' } } } } } }],
  [
    'an object without a prototype',
    { a: Object.assign(Object.create(null), { token: 'planted' }) },
  ],
  ['a request’s body', { req: { body: { message: 'planted' } } }],
])('strikes it out in %s', (_, fields) => {
  const line = lineOf((logger) => logger.info(fields));
  expect(line).not.toContain('planted');
  expect(line).toContain('[redacted]');
});

it('strikes it out of what a child adds to each line', () => {
  const line = lineOf((logger) => logger.child({ token: 'planted', reqId: 'kept' }).info('x'));
  expect(JSON.parse(line)).toMatchObject({ token: '[redacted]', reqId: 'kept' });
});

it('strikes it out of an error that is logged alone', () => {
  const error = Object.assign(new Error('kept'), { secret: 'planted' });
  const line = lineOf((logger) => logger.error(error));
  expect(JSON.parse(line)).toMatchObject({
    msg: 'kept',
    err: { type: 'Error', message: 'kept', secret: '[redacted]' },
  });
});

it('logs an object that holds itself', () => {
  const own: Record<string, unknown> = { token: 'planted' };
  own.self = own;
  const line = lineOf((logger) => logger.info({ own }, 'a circle'));
  expect(line).not.toContain('planted');
  expect(JSON.parse(line).msg).toBe('a circle');
});

it('leaves what it was given as it was, and what says itself how it is shown', () => {
  const given = { at: new Date(0), url: new URL('http://a.example/'), deep: { token: 'kept' } };
  const line = lineOf((logger) => logger.info(given));
  expect(JSON.parse(line)).toMatchObject({
    at: '1970-01-01T00:00:00.000Z',
    url: 'http://a.example/',
  });
  expect(given.deep.token).toBe('kept');
});
