import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

const headerBytes = 12;
/** A response, the name's authority, no recursion refused, no error. */
const answered = 0x8580;
const [typeA, classIn] = [1, 1];

/** What Docker's own DNS does for a service: one name, an address for each container that runs. */
export class DockerDns {
  readonly port: number;
  readonly addresses = new Set<string>();
  /** How often it was asked. */
  asked = 0;
  #turn = 0;

  private constructor(socket: Socket) {
    this.port = socket.address().port;
    socket.on('message', (query, { port, address }) => {
      this.asked += 1;
      socket.send(this.#answer(query), port, address);
    });
  }

  /** It ends with the test. */
  static async start(): Promise<DockerDns> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    onTestFinished(() => void socket.close());
    return new DockerDns(socket);
  }

  /** RFC 1035, section 4.1: the question again, and a record for each address, another one first each time. */
  #answer(query: Buffer): Buffer {
    const question = query.subarray(headerBytes, questionEnd(query));
    const all = [...this.addresses];
    const from = this.#turn++ % (all.length || 1);
    const records = [...all.slice(from), ...all.slice(0, from)].map((address) => {
      const record = Buffer.alloc(16);
      record.writeUInt16BE(0xc000 | headerBytes, 0); // the name of the question
      record.writeUInt16BE(typeA, 2);
      record.writeUInt16BE(classIn, 4);
      record.writeUInt32BE(600, 6);
      record.writeUInt16BE(4, 10);
      record.set(address.split('.').map(Number), 12);
      return record;
    });
    const header = Buffer.alloc(headerBytes);
    header.writeUInt16BE(query.readUInt16BE(0), 0);
    header.writeUInt16BE(answered, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    return Buffer.concat([header, question, ...records]);
  }
}

function questionEnd(query: Buffer): number {
  return query.indexOf(0, headerBytes) + 5;
}
