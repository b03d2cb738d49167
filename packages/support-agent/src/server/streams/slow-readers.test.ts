import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EventReader } from '../../testing/event-reader.ts';
import { eventually } from '../../testing/eventually.ts';
import { type OpenSession, startTestApp, type TestApp } from '../../testing/test-app.ts';
import { sliceBytes } from './streamed-body.ts';

/** Room for what HTTP writes around a slice. */
const bound = sliceBytes + 64;

/** Live output that no buffer of the operating system holds. */
const piece = 'x'.repeat(60_000);
async function emitMuch({ sessions }: TestApp, { id }: OpenSession): Promise<void> {
  await sessions.turn(id, async (turn) => {
    for (let count = 0; count < 50; count += 1) {
      turn.emit({ type: 'text', text: piece });
      // Readers that can keep up do.
      await new Promise(setImmediate);
    }
  });
}

/** A client that reads one byte when it is told to, and none before. */
class OneByteReader {
  readonly #socket: Socket;
  received = 0;

  constructor(address: string, { url, auth }: OpenSession) {
    const { hostname, port } = new URL(address);
    this.#socket = connect({
      host: hostname,
      port: Number(port),
      onread: {
        buffer: Buffer.alloc(1),
        callback: () => {
          this.received += 1;
          return false;
        },
      },
    });
    onTestFinished(() => void this.#socket.destroy());
    this.#socket.on('error', () => {}); // the server's end
    this.#socket.write(
      `GET ${url}/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${auth.authorization}\r\n\r\n`,
    );
  }

  async read(): Promise<void> {
    const before = this.received;
    this.#socket.resume();
    await eventually(() => this.received).toBeGreaterThan(before);
  }
}

/** Emits until the connection takes no more; what waits for it in this process is then all there is. */
async function untilStalled(test: TestApp, session: OpenSession, server: Socket): Promise<void> {
  let sent = -1;
  while (server.bytesWritten > sent) {
    sent = server.bytesWritten;
    await emitMuch(test, session);
  }
  expect(server.writableLength).toBeGreaterThan(0);
}

describe('a reader that takes nothing', () => {
  it('costs one slice, holds up no turn and no other reader, and is let go after 60 s', async () => {
    const test = await startTestApp();
    const address = await test.listen();
    const session = await test.open();
    const connected = once(test.app.server, 'connection');
    const headers = session.auth;
    await EventReader.connect(`${address}${session.url}/stream`, { headers });
    const [server] = (await connected) as [Socket];
    await untilStalled(test, session, server);
    for (let more = 0; more < 3; more += 1) {
      await emitMuch(test, session);
      expect(server.writableLength).toBeLessThanOrEqual(bound);
    }

    const other = await EventReader.open(`${address}${session.url}/stream`, { headers });
    await test.say(session, 'Hello');
    await other.until(({ event }) => event === 'turn.completed');

    expect(await test.openStreams()).toBe(2);
    await test.clock.advance(60_000);
    expect(server.destroyed).toBe(true);
    expect(other.isOver).toBe(false);
    await eventually(() => test.openStreams()).toBe(1);
  });
});

describe('a reader of one byte a second', () => {
  it('is served while the operating system takes what comes', async () => {
    const test = await startTestApp();
    const session = await test.open();
    const connected = once(test.app.server, 'connection');
    const reader = new OneByteReader(await test.listen(), session);
    const [server] = (await connected) as [Socket];
    await reader.read();
    await test.say(session, 'How long does a refund take?');
    for (let second = 0; second < 300; second += 1) {
      await reader.read();
      await test.clock.advance(1_000);
      expect(server.writableLength).toBeLessThanOrEqual(bound);
    }
    expect(server.destroyed).toBe(false);
  });

  it('costs one slice when much comes, and is let go', async () => {
    const test = await startTestApp();
    const session = await test.open();
    const connected = once(test.app.server, 'connection');
    const reader = new OneByteReader(await test.listen(), session);
    const [server] = (await connected) as [Socket];
    await reader.read();
    await untilStalled(test, session, server);
    let seconds = 0;
    while (!server.destroyed) {
      await reader.read();
      await test.clock.advance(1_000);
      seconds += 1;
      expect(server.writableLength).toBeLessThanOrEqual(bound);
    }
    // Its bytes may just have made room for another slice, once.
    expect(seconds).toBeGreaterThanOrEqual(60);
    expect(seconds).toBeLessThanOrEqual(180);
    await eventually(() => test.openStreams()).toBe(0);
  });
});

describe('200 streams at once', () => {
  it('all show everything, in order, and leave nothing behind', async () => {
    const test = await startTestApp();
    const address = await test.listen();
    const sessions = await Promise.all(Array.from({ length: 20 }, () => test.open()));
    const readers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => {
        const { url, auth } = sessions[index % sessions.length] as OpenSession;
        return EventReader.open(`${address}${url}/stream`, { headers: auth });
      }),
    );
    expect(await test.openStreams()).toBe(200);
    await Promise.all(sessions.map((session) => test.say(session, 'How long does a refund take?')));
    for (const reader of readers) {
      const events = await reader.until(({ event }) => event === 'turn.completed');
      expect(events.length).toBeGreaterThan(3);
      expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => `${index + 1}`));
    }
    for (const reader of readers) reader.leave();
    await eventually(() => test.openStreams()).toBe(0);
  });
});
