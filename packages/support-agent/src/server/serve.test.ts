import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { devNull } from 'node:os';
import { ConfigError, loadConfig } from 'holdfast';
import { FakeClock } from 'holdfast/testing';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EventReader } from '../testing/event-reader.ts';
import { GatedModel } from '../testing/gated-model.ts';
import { PacedModel } from '../testing/paced-model.ts';
import { type ServeOptions, serve } from './serve.ts';
import { StartError } from './start-error.ts';

async function start(env: Record<string, string> = {}, more: Partial<ServeOptions> = {}) {
  let log = '';
  const server = await serve({
    config: loadConfig({ env: { API_PORT: '0', ...env }, envFile: devNull }),
    logger: pino({}, { write: (line) => (log += line) }),
    ...more,
  });
  onTestFinished(() => server.close());
  return {
    server,
    base: `http://127.0.0.1:${server.port}`,
    printed: server.greeting.split('\n'),
    log: () => log,
  };
}

async function session(base: string) {
  const created = await fetch(`${base}/api/sessions`, { method: 'POST' });
  const { session_id: id, token } = (await created.json()) as Record<string, string>;
  const path = `/api/sessions/${id}`;
  const headers = { authorization: `Bearer ${token}` };
  const say = (message: string) =>
    fetch(`${base}${path}/messages`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ message }),
    });
  return { path, headers, say };
}

describe('serve', () => {
  it('says where it is ready, and the operator key that it made for this run', async () => {
    const { server, base, printed, log } = await start();
    expect(printed).toEqual([
      `Holdfast is ready at http://localhost:${server.port}`,
      expect.stringMatching(/^Operator key of this run: \S{32} /),
    ]);
    const key = printed[1]?.split(' ')[5] ?? '';
    const asOperator = await fetch(`${base}/api/sessions/x`, {
      headers: { authorization: `Bearer ${key}` },
    });
    expect(asOperator.status).toBe(404);
    expect(log()).not.toContain(key);
  });

  it('says nothing of an operator key that was given', async () => {
    const { base, printed } = await start({ ADMIN_API_KEY: 'a-key-that-was-given' });
    expect(printed).toHaveLength(1);
    const headers = { authorization: 'Bearer a-key-that-was-given' };
    expect((await fetch(`${base}/api/sessions/x`, { headers })).status).toBe(404);
  });

  it('answers from the articles, without a network', async () => {
    const { base } = await start();
    const { say } = await session(base);
    const reply = await (await say('How long does a refund take?')).json();
    expect(reply).toMatchObject({ sources: [{ id: 'refunds#how-long-a-refund-takes' }] });
  });

  it('refuses a taken port in one sentence', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const failure = start({ API_PORT: String(port) });
    await expect(failure).rejects.toThrow(StartError);
    await expect(failure).rejects.toThrow(
      `Port ${port} is in use; stop the other process or start with API_PORT=${port + 1} npm start.`,
    );
  });

  it('refuses an address that is not this machine’s', async () => {
    await expect(start({ API_HOST: '203.0.113.1' })).rejects.toThrow(
      'API_HOST=203.0.113.1 is not an address of this machine; leave it out, or use 127.0.0.1 or 0.0.0.0.',
    );
  });

  it('refuses a missing knowledge folder', async () => {
    const failure = start({ KNOWLEDGE_DIR: '/nowhere/at/all' });
    await expect(failure).rejects.toThrow(ConfigError);
    await expect(failure).rejects.toThrow('KNOWLEDGE_DIR: there is no folder /nowhere/at/all.');
  });
});

describe('shutdown', () => {
  it('lets a running turn finish, and takes no new connection', async () => {
    const model = new GatedModel();
    const { server, base } = await start({}, { model, clock: new FakeClock() });
    const { say } = await session(base);
    const reply = say('Hi');
    const question = await model.nextQuestion();
    const closed = server.close();
    await vi.waitFor(() => expect(fetch(`${base}/health/live`)).rejects.toThrow());
    question.answer('Hello!');
    const response = await reply;
    expect(await response.json()).toMatchObject({ message: 'Hello!' });
    // Kept alive, the connection would keep the server from closing.
    expect(response.headers.get('connection')).toBe('close');
    await closed;
  });

  it('does not wait for connections that were never used', async () => {
    // Its ten seconds never come.
    const { server, base } = await start({}, { clock: new FakeClock() });
    const ahead = connect(Number(new URL(base).port), '127.0.0.1');
    onTestFinished(() => void ahead.destroy());
    await once(ahead, 'connect');
    // Its turn to be accepted has come, too.
    expect((await fetch(`${base}/health/live`)).status).toBe(200);
    await server.close();
  });

  it('waits ten seconds for a turn that does not end, and no longer', async () => {
    const model = new GatedModel();
    const clock = new FakeClock();
    const { server, base } = await start({}, { model, clock });
    const { say } = await session(base);
    const reply = say('Hi');
    await model.nextQuestion();
    let isClosed = false;
    const closed = server.close().then(() => {
      isClosed = true;
    });
    await clock.advance(9_999);
    expect(isClosed).toBe(false);
    await clock.advance(1);
    const refused = await reply;
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await refused.json()).toMatchObject({
      code: 'SERVER_CLOSING',
      detail: expect.stringContaining('Idempotency-Key'),
    });
    await closed;
  });

  it('tells a stream how its message ended, or that it was given up', async () => {
    const model = new PacedModel();
    const clock = new FakeClock();
    const { server, base } = await start({}, { model, clock });
    const begin = async (message: string) => {
      const { path, headers } = await session(base);
      const opening = EventReader.open(`${base}${path}/messages`, { headers, body: { message } });
      const answer = await model.nextAnswer();
      answer.say('Half an answer');
      return { answer, reader: await opening };
    };
    const ended = await begin('one');
    const givenUp = await begin('two');
    const closed = server.close();
    await clock.advance(9_000);
    ended.answer.end();
    expect((await ended.reader.all()).at(-1)).toMatchObject({
      event: 'reply',
      data: { message: 'Half an answer' },
    });
    await clock.advance(1_000);
    expect((await givenUp.reader.all()).at(-1)).toMatchObject({
      event: 'error',
      data: { status: 503, code: 'SERVER_CLOSING' },
    });
    await closed;
  });

  it('tells the streams that watch, and ends them, whatever runs', async () => {
    const model = new GatedModel();
    const { server, base } = await start({}, { model, clock: new FakeClock() });
    const { path, headers, say } = await session(base);
    // As browsers do, it keeps the connection for requests to come.
    const watching = await fetch(`${base}${path}/stream`, { headers });
    const reply = say('Hi');
    const question = await model.nextQuestion();
    const closed = server.close();
    expect(await watching.text()).toBe('event: server.closing\nretry: 1000\ndata: {}\n\n');
    question.answer('Hello!');
    expect(await (await reply).json()).toMatchObject({ message: 'Hello!' });
    await closed;
  });

  it('ends although a stream is read by nobody', async () => {
    const clock = new FakeClock();
    const { server, base } = await start({}, { clock });
    const { path, headers } = await session(base);
    await EventReader.connect(`${base}${path}/stream`, { headers });
    let isClosed = false;
    const closed = server.close().then(() => {
      isClosed = true;
    });
    // Its connection is open until the reader closes it, or the time is over.
    for (let second = 0; second < 12 && !isClosed; second += 1) await clock.advance(1_000);
    await closed;
  });
});
