import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json, text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { GatedModel } from '../testing/gated-model.ts';
import { type OpenSession, startTestApp, type TestApp } from '../testing/test-app.ts';

/** Sends a message over a connection of its own. */
function post(port: number, { url, auth }: OpenSession, message: string): ClientRequest {
  const request = httpRequest({
    port,
    host: '127.0.0.1',
    path: `${url}/messages`,
    method: 'POST',
    agent: false,
    headers: { ...auth, 'content-type': 'application/json' },
  });
  request.end(JSON.stringify({ message }));
  return request;
}

/** Not `once`, which also waits for the error that a cut connection may report first. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

async function replyOf(request: ClientRequest): Promise<unknown> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return json(response);
}

async function listen({ app }: TestApp): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return (app.server.address() as AddressInfo).port;
}

/** Sends bytes as they are, and reads until the server closes. */
async function exchange(port: number, request: string): Promise<{ status: number; body: string }> {
  const socket = connect(port, '127.0.0.1');
  socket.write(request); // ending it would tell the server that nobody waits
  const reply = await text(socket);
  const [head = '', body = ''] = reply.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), body };
}

describe('what no client library would send', () => {
  const get = (path: string, headers = '') =>
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`;

  it.each([
    '/../../package.json',
    '/%2e%2e/%2e%2e/package.json',
    '/..%5c..%5cpackage.json',
    '/assets/../../package.json',
    '//',
    '//evil.example',
    '/.//',
    '/%00',
    '/assets/%00',
    '/%',
  ])('finds nothing at %s, and no defect', async (path) => {
    const port = await listen(await startTestApp());
    const { status, body } = await exchange(port, get(path));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(JSON.parse(body)).toMatchObject({ status, code: expect.any(String) });
  });

  it.each([
    ['Range: bytes=9999999-\r\n', 416, 'RANGE_NOT_SATISFIABLE'],
    ['If-Match: "x"\r\n', 412, 'PRECONDITION_FAILED'],
  ])('answers %j with %i', async (header, expected, code) => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-pages-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'index.html'), '<!doctype html>');
    const port = await listen(await startTestApp({ pagesDirectory: folder }));
    const { status, body } = await exchange(port, get('/index.html', header));
    expect(status).toBe(expected);
    expect(JSON.parse(body)).toMatchObject({ code });
  });

  it.each([
    ['NONSENSE\r\n\r\n', 400, 'BAD_REQUEST'],
    [get('/', `X-Long: ${'x'.repeat(20_000)}\r\n`), 431, 'HEADERS_TOO_LARGE'],
  ])('answers what is no request with a problem (%#)', async (request, expected, code) => {
    const port = await listen(await startTestApp());
    const { status, body } = await exchange(port, request);
    expect(status).toBe(expected);
    expect(JSON.parse(body)).toMatchObject({ status: expected, code });
  });
});

describe('a body that is too large', () => {
  const size = 5_000_000;
  const head =
    'POST /api/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
  const chunk = `${size.toString(16)}\r\n${' '.repeat(size)}\r\n`;

  it.each([
    ['its length is told', `${head}Content-Length: ${size}\r\n\r\n`, ' '.repeat(size)],
    [
      'it comes in chunks',
      `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`,
      `${chunk}0\r\n\r\n`,
    ],
  ])('is read to its end, so that its client gets the answer: %s', async (_, begin, rest) => {
    const port = await listen(await startTestApp());
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    let received = '';
    socket.on('data', (data) => {
      received += data;
    });
    socket.write(begin);
    await eventually(() => received).toContain('"code":"BODY_TOO_LARGE"');
    expect(received).toMatch(/^HTTP\/1\.1 413 /);
    received = '';
    socket.write(rest);
    socket.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    await closed(socket);
    expect(received).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('is not read for longer than a request may take', async () => {
    const port = await listen(await startTestApp({ requestTimeoutMs: 100 }));
    const socket = connect(port, '127.0.0.1').resume();
    socket.on('error', () => {}); // the end that this test waits for
    socket.write(`${head}Content-Length: ${size}\r\n\r\n`);
    const trickle = setInterval(() => socket.write(' '), 20);
    onTestFinished(() => clearInterval(trickle));
    await closed(socket);
  });
});

describe('over real connections', () => {
  it('commits the turn of a client that leaves before the answer', async () => {
    const model = new GatedModel();
    const test = await startTestApp({ model });
    const port = await listen(test);
    const session = await test.open();
    const connected = once(test.app.server, 'connection');
    const request = post(port, session, 'Where is my parcel?');
    request.on('error', () => {}); // the end that this test brings about
    const [socket] = await connected;
    const question = await model.nextQuestion();
    const left = closed(socket);
    request.destroy();
    await left;
    expect(question.request.signal.aborted).toBe(false);
    question.answer('On its way.');
    await test.agent.idle();
    expect(await test.transcript(session)).toEqual([
      ['user', 'Where is my parcel?'],
      ['assistant', 'On its way.'],
    ]);
  });

  it('closes though one whom it answers never reads', async () => {
    const model = new GatedModel();
    const test = await startTestApp({ model });
    test.app.server.keepAliveTimeout = 0; // it would end the connection, after a minute
    const port = await listen(test);
    const { url, auth } = await test.open();
    const socket = connect(port, '127.0.0.1').pause();
    const body = JSON.stringify({ message: 'Is it in stock?' });
    const headers = [
      `Authorization: ${auth.authorization}`,
      'Accept: text/event-stream',
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ];
    const head = [`POST ${url}/messages HTTP/1.1`, 'Host: localhost', ...headers];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    const question = await model.nextQuestion();
    const closing = test.app.close();
    await eventually(() => test.app.server.listening).toBe(false);
    question.answer('It is.');
    await closing;
    expect(await text(socket)).toContain('event: reply');
  });

  it('answers two clients that write to one session at once, in order', async () => {
    const model = new GatedModel();
    const test = await startTestApp({ model });
    const port = await listen(test);
    const session = await test.open();
    const first = replyOf(post(port, session, 'one'));
    const asked = await model.nextQuestion();
    const second = replyOf(post(port, session, 'two'));
    await vi.waitFor(async () => {
      expect(await test.sessions.store.getStats()).toMatchObject({ waiters: 1 });
    });
    expect(model.asked).toHaveLength(1);
    asked.answer('answer one');
    (await model.nextQuestion()).answer('answer two');
    expect(await first).toMatchObject({ message: 'answer one' });
    expect(await second).toMatchObject({ message: 'answer two' });
    expect(await test.transcript(session)).toEqual([
      ['user', 'one'],
      ['assistant', 'answer one'],
      ['user', 'two'],
      ['assistant', 'answer two'],
    ]);
  });

  it('stores nothing of a message whose sender leaves in the middle of it', async () => {
    const test = await startTestApp();
    const port = await listen(test);
    const session = await test.open();
    const connected = once(test.app.server, 'connection');
    const request = httpRequest({
      port,
      host: '127.0.0.1',
      path: `${session.url}/messages`,
      method: 'POST',
      agent: false,
      headers: { ...session.auth, 'content-type': 'application/json', 'content-length': 100 },
    });
    request.on('error', () => {});
    const begun = once(test.app.server, 'request');
    request.write('{"message":"Hel');
    const [socket] = await connected;
    await begun;
    const left = closed(socket);
    request.destroy();
    await left;
    await test.agent.idle();
    expect(await test.stored(session)).toMatchObject({ messageCount: 0 });
  });
});
