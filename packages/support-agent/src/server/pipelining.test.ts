import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { GatedModel } from '../testing/gated-model.ts';
import { type OpenSession, startTestApp, type TestAppOptions } from '../testing/test-app.ts';

/** A message as it goes over the wire. */
function post({ url, auth }: OpenSession, message: string, headers: string[] = []): string {
  const body = JSON.stringify({ message });
  const head = [
    `POST ${url}/messages HTTP/1.1`,
    'Host: localhost',
    `Authorization: ${auth.authorization}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    ...headers,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

async function serving(options: TestAppOptions = {}) {
  const model = new GatedModel();
  const test = await startTestApp({ model, ...options });
  const { hostname, port } = new URL(await test.listen());
  // It would end connections by itself, after a minute.
  test.app.server.keepAliveTimeout = 0;
  const send = (sent: string): Socket => {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.write(sent);
    return socket;
  };
  const [one, other] = await Promise.all([test.open(), test.open()]);
  return { ...test, model, send, one, other };
}

/** Status, what becomes of the connection, and what is said, of each answer in turn. */
function answersIn(received: string): string[] {
  return received
    .split(/(?=HTTP\/1\.1 \d)/)
    .map((answer) =>
      [
        / (\d+) /.exec(answer)?.[1],
        /\r\nconnection: (\S+)/i.exec(answer)?.[1],
        /"(?:message|code)":"([^"]*)/.exec(answer)?.[1],
      ].join(' '),
    );
}

/** What has come so far. Unlike a reader of the whole it leaves the other direction open. */
function collected(socket: Socket): () => string {
  let received = '';
  socket.setEncoding('utf8').on('data', (data) => {
    received += data;
  });
  return () => received;
}

describe('requests one behind the other over one connection', () => {
  it('are all answered by a server that closes, and the last answer ends the connection', async () => {
    const { model, send, one, other, app } = await serving();
    const socket = send(post(one, 'First?') + post(other, 'Second?'));
    const questions = [await model.nextQuestion(), await model.nextQuestion()];
    const closing = app.close();
    await eventually(() => app.server.listening).toBe(false);
    for (const question of questions) question.answer('Yes.');
    expect(answersIn(await text(socket))).toEqual(['200 keep-alive Yes.', '200 close Yes.']);
    socket.end();
    await closing;
  });

  it('are all answered by a server that closes when the first is a stream', async () => {
    const { model, send, one, other, app } = await serving();
    const socket = send(post(one, 'First?', ['Accept: text/event-stream']));
    const first = await model.nextQuestion();
    socket.write(post(other, 'Second?'));
    const second = await model.nextQuestion();
    const closing = app.close();
    await eventually(() => app.server.listening).toBe(false);
    first.answer('One.');
    const received = collected(socket);
    await eventually(received).toContain('event: reply');
    second.answer('Two.');
    await once(socket, 'end');
    expect(answersIn(received())).toEqual(['200 keep-alive One.', '200 close Two.']);
    socket.end();
    await closing;
  });

  it('are not begun when they come behind the last answer of a server that closes', async () => {
    const { model, send, one, other, app, agent, transcript } = await serving();
    const socket = send(post(one, 'First?', ['Accept: text/event-stream']));
    const first = await model.nextQuestion();
    const closing = app.close();
    await eventually(() => app.server.listening).toBe(false);
    first.answer('One.');
    const received = collected(socket);
    await once(socket, 'end');
    expect(received()).toContain('event: reply');
    socket.write(post(other, 'Second?'));
    await closing;
    await agent.idle();
    expect(model.asked).toHaveLength(1);
    expect(await transcript(other)).toEqual([]);
  });

  it('have their answers before what is behind them and is no request', async () => {
    const { model, send, one } = await serving();
    const socket = send(`${post(one, 'First?')}NONSENSE\r\n\r\n`);
    const first = await model.nextQuestion();
    socket.write('MORE OF IT\r\n\r\n');
    first.answer('One.');
    expect(answersIn(await text(socket))).toEqual(['200 keep-alive One.', '400 close BAD_REQUEST']);
  });

  it('have no other answer in the midst of theirs where they turn out to be none', async () => {
    const { send, one } = await serving();
    const head = ['Host: localhost', `Authorization: ${one.auth.authorization}`];
    const get = [`GET ${one.url}/stream HTTP/1.1`, ...head, 'Transfer-Encoding: chunked'];
    const socket = send(`${get.join('\r\n')}\r\n\r\n2\r\nab\r\n`);
    const received = collected(socket);
    await eventually(received).toContain('text/event-stream');
    socket.write('NO LENGTH\r\n');
    await once(socket, 'end');
    expect(received().split(/(?=HTTP\/1\.1 \d)/)).toHaveLength(1);
  });

  it('have their answers before one is given up that does not arrive', async () => {
    const { model, send, one, other, app } = await serving({ requestTimeoutMs: 100 });
    const refused = once(app.server, 'clientError');
    const socket = send(post(one, 'First?') + post(other, 'Second?').slice(0, -1));
    const first = await model.nextQuestion();
    await refused;
    first.answer('One.');
    expect(answersIn(await text(socket))).toEqual([
      ...['200 keep-alive One.', '408 close REQUEST_TIMEOUT'],
    ]);
    expect(model.asked).toHaveLength(1);
  });
});
