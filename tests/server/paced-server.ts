import { inject } from 'vitest';
import { type RunningProcess, startProcess } from '../helpers/child-process.ts';
import { addressOf } from '../helpers/npm-start.ts';
import { operatorKey, ServerClient } from './server-on-redis.ts';

/** A server, built as any other, whose model says its pieces one by one and pauses where it is told to. */
const program = `
import { loadConfig } from 'holdfast';
import { pino } from 'pino';
import { serve } from './packages/support-agent/dist/index.js';

const pieces = JSON.parse(process.env.PIECES);
const told = new Promise((resolve) => process.once('SIGUSR2', resolve));
const model = {
  name: 'paced',
  async *answer() {
    for (const piece of pieces) {
      if (piece === null) await told;
      else {
        yield { type: 'text', text: piece };
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
    yield { type: 'end', sources: [], confidence: 0.9, answered: true };
  },
};
const server = await serve({ config: loadConfig(), logger: pino({ level: 'silent' }), model });
console.log(server.greeting);
`;

export class PacedServer extends ServerClient {
  readonly process: RunningProcess;

  private constructor(process: RunningProcess, address: string) {
    super(address);
    this.process = process;
  }

  /** @param pieces of each answer; at `null` it waits for `goOn`. */
  static async start(
    env: Record<string, string>,
    pieces: readonly (string | null)[],
  ): Promise<PacedServer> {
    const process = startProcess(
      globalThis.process.execPath,
      ['--input-type=module', '-e', program],
      {
        cwd: inject('builtCopy'),
        env: {
          API_PORT: '0',
          ADMIN_API_KEY: operatorKey,
          PIECES: JSON.stringify(pieces),
          ...env,
        },
      },
    );
    return new PacedServer(process, await addressOf(process));
  }

  goOn(): void {
    this.process.send('SIGUSR2');
  }
}
