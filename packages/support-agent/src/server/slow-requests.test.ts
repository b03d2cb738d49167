import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { startTestApp } from '../testing/test-app.ts';

const requestTimeoutMs = 100;

/** All that the server says to somebody who sends this and then no more, but keeps the connection. */
async function replyTo(address: string, sent: string): Promise<string> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  const closed = once(socket, 'close');
  socket.write(sent);
  const reply = await text(socket);
  await closed;
  return reply;
}

describe('a request that does not arrive', () => {
  it.each([
    ['its headers', 'POST /api/sessions HTTP/1.1\r\nHost: localhost\r\nX-Slow: '],
    [
      'its body',
      'POST /api/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"meta',
    ],
  ])('is given up, and its connection ended: %s', async (_, sent) => {
    const { listen, sessions } = await startTestApp({ requestTimeoutMs });
    const reply = await replyTo(await listen(), sent);
    expect(reply).toMatch(/^HTTP\/1\.1 408 /);
    expect(reply).toContain('"code":"REQUEST_TIMEOUT"');
    expect(reply).toContain('Connection: close');
    expect(await sessions.store.countActive()).toBe(0);
  });
});
