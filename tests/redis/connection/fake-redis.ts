import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** The reply as it goes over the wire; undefined for none. */
export type Answer = (
  command: string,
  args: readonly string[],
  socket: Socket,
) => string | undefined;

export interface FakeRedis {
  readonly url: string;
  readonly commands: string[];
}

const hello = '%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n';

/** A server that says what no real one can be brought to say when a test wants it. */
export async function fakeRedis(answer: Answer): Promise<FakeRedis> {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      for (;;) {
        const parsed = parse(received);
        if (parsed === undefined) return;
        received = parsed.rest;
        const [command = '', ...args] = parsed.words;
        commands.push(command);
        const reply = answer(command, args, socket);
        if (reply !== undefined && !socket.destroyed) socket.write(reply, 'latin1');
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`, commands };
}

/** What a server has to say before anything else, and to what the test does not ask about. */
export function usual(command: string): string {
  if (command === 'HELLO') return hello;
  if (command === 'SCRIPT') return `$40\r\n${'0'.repeat(40)}\r\n`;
  return '+OK\r\n';
}

function parse(text: string): { words: string[]; rest: string } | undefined {
  const count = /^\*(\d+)\r\n/.exec(text);
  if (count === null) return undefined;
  let at = count[0].length;
  const words: string[] = [];
  for (let left = Number(count[1]); left > 0; left--) {
    const head = /^\$(\d+)\r\n/.exec(text.slice(at));
    if (head === null) return undefined;
    const start = at + head[0].length;
    const end = start + Number(head[1]);
    if (text.length < end + 2) return undefined;
    words.push(text.slice(start, end));
    at = end + 2;
  }
  return { words, rest: text.slice(at) };
}
