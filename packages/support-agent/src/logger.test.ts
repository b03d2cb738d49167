import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
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

it.each<[string, (logger: ReturnType<typeof createLogger>) => void]>([
  ['a child has', (logger) => logger.child({ ctx: { token: 'planted' } }).info('x')],
  [
    'a child’s child has',
    (logger) =>
      logger
        .child({})
        .child({ req: { headers: { cookie: 'planted' } } })
        .info('x'),
  ],
  [
    'bindings that are set have',
    (logger) => {
      const child = logger.child({});
      child.setBindings({ ctx: { token: 'planted' } });
      child.info('x');
    },
  ],
])('strikes it out of what %s below the top', (_, log) => {
  const line = lineOf(log);
  expect(line).not.toContain('planted');
  expect(line).toContain('[redacted]');
});

it('shows of raw requests and replies no header', () => {
  const request = new IncomingMessage(new Socket());
  Object.assign(request, { method: 'GET', headers: { authorization: 'planted' } });
  const reply = new ServerResponse(request);
  reply.setHeader('set-cookie', 'planted');
  const lines = [request, reply, { req: request, res: reply }].map((raw) =>
    lineOf((logger) => logger.info(raw)),
  );
  expect(lines.join()).not.toContain('planted');
  expect(JSON.parse(lines[2] ?? '')).toMatchObject({
    req: { method: 'GET' },
    res: { statusCode: 200 },
  });
});

it('strikes it out of what an object says of itself', () => {
  const said = { toJSON: () => ({ token: 'planted', kind: 'kept' }) };
  const line = lineOf((logger) => logger.info({ said }));
  expect(JSON.parse(line).said).toEqual({ token: '[redacted]', kind: 'kept' });
});

it('logs objects that hold each other, each once on a way, and not without end', () => {
  const all = Array.from({ length: 50 }, (): Record<string, unknown> => ({ token: 'planted' }));
  for (const one of all) for (const [at, other] of all.entries()) one[`o${at}`] = other;
  const line = lineOf((logger) => logger.info({ all: all[0] }, 'a graph'));
  expect(line).not.toContain('planted');
  expect(line).toContain('[circular]');
  expect(JSON.parse(line).msg).toBe('a graph');
  expect(line.length).toBeLessThan(1_000_000);
});

it('logs the rest of a line of which a part cannot be read', () => {
  const broken = {
    get field(): string {
      throw new Error('no');
    },
  };
  const line = lineOf((logger) => logger.info({ broken, kept: { a: 1 } }, 'x'));
  expect(JSON.parse(line)).toMatchObject({ broken: '[cannot be shown]', kept: { a: 1 } });
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
