import { once } from 'node:events';
import { createServer } from 'node:net';
import { devNull } from 'node:os';
import { ConfigError, loadConfig } from 'holdfast';
import { FakeClock } from 'holdfast/testing';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { GatedModel } from '../testing/gated-model.ts';
import { type ServeOptions, serve } from './serve.ts';
import { StartError } from './start-error.ts';

async function start(env: Record<string, string> = {}, more: Partial<ServeOptions> = {}) {
  const printed: string[] = [];
  let log = '';
  const server = await serve({
    config: loadConfig({ env: { API_PORT: '0', ...env }, envFile: devNull }),
    logger: pino({}, { write: (line) => (log += line) }),
    print: (line) => printed.push(line),
    ...more,
  });
  onTestFinished(() => server.close());
  return { server, base: `http://127.0.0.1:${server.port}`, printed, log: () => log };
}

async function open(base: string) {
  const created = await fetch(`${base}/api/sessions`, { method: 'POST' });
  const { session_id: id, token } = (await created.json()) as Record<string, string>;
  return (message: string) =>
    fetch(`${base}/api/sessions/${id}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ message }),
    });
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
    const say = await open(base);
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
    const say = await open(base);
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

  it('waits ten seconds for a turn that does not end, and no longer', async () => {
    const model = new GatedModel();
    const clock = new FakeClock();
    const { server, base } = await start({}, { model, clock });
    const say = await open(base);
    const reply = say('Hi');
    await model.nextQuestion();
    let isClosed = false;
    const closed = server.close().then(() => {
      isClosed = true;
    });
    await clock.advance(9_999);
    expect(isClosed).toBe(false);
    const cutOff = expect(reply).rejects.toThrow();
    await clock.advance(1);
    await closed;
    await cutOff;
  });
});
