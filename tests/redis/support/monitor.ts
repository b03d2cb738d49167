import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { scripts } from '../../../packages/holdfast/src/lib/redis/scripts/scripts.ts';

export interface SeenCommand {
  /** Of the client that sent it. */
  readonly address: string;
  readonly words: readonly string[];
}

const namesBySha = new Map(Object.entries(scripts).map(([name, { sha1 }]) => [sha1, name]));

/** What the server says it is asked, by MONITOR; not what scripts call in their turn. */
export class Monitor {
  readonly #socket: Socket;
  readonly #asker: Socket;
  #received = '';

  private constructor(socket: Socket, asker: Socket) {
    this.#socket = socket;
    this.#asker = asker;
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#received += text;
    });
    for (const each of [socket, asker]) each.on('error', () => {});
    asker.resume();
  }

  /** Ends with the test. */
  static async of(port: number): Promise<Monitor> {
    const sockets = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')] as const;
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const monitor = new Monitor(...sockets);
    sockets[0].write('MONITOR\r\n');
    await monitor.take();
    return monitor;
  }

  /** The commands since the last call, up to now, in their order. */
  async take(): Promise<SeenCommand[]> {
    const mark = randomUUID();
    this.#asker.write(`ECHO ${mark}\r\n`);
    while (!new RegExp(`"${mark}"\r\n`).test(this.#received)) await once(this.#socket, 'data');
    const seen = this.#received.split('\r\n').flatMap(parseLine);
    this.#received = '';
    return seen.filter(({ words }) => words[0] !== 'ECHO' && words[0] !== 'MONITOR');
  }
}

function parseLine(line: string): SeenCommand[] {
  const [, address, rest = ''] = /^\+[\d.]+ \[\d+ (\S+)\] (.*)$/.exec(line) ?? [];
  if (address === undefined || address === 'lua') return [];
  const words = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = '']) => word);
  return [{ address, words }];
}

/** The script's name where it is one of ours, otherwise the command's. */
export function nameOf({ words }: SeenCommand): string {
  const [command = '', sha = ''] = words;
  return command.toUpperCase() === 'EVALSHA' ? (namesBySha.get(sha) ?? sha) : command;
}
