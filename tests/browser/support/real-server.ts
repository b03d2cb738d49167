import type { RunningProcess } from '../../helpers/child-process.ts';
import { addressOf, npmStart } from '../../helpers/npm-start.ts';
import { repositoryRoot } from '../../helpers/repository.ts';

export const operatorKey = 'operator-key-of-the-tests';

/** What `npm start` serves, as a process that a test can end and start again at the same address. */
export class RealServer {
  readonly address: string;
  readonly #env: Record<string, string>;
  #process: RunningProcess;

  constructor(process: RunningProcess, address: string, env: Record<string, string>) {
    this.#process = process;
    this.address = address;
    this.#env = env;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }

  async start(): Promise<void> {
    const { port } = new URL(this.address);
    this.#process = npmStart(repositoryRoot, {
      RATE_LIMIT_ENABLED: 'false',
      ...this.#env,
      API_PORT: port,
    });
    await addressOf(this.#process);
  }
}

export async function realServer(env: Record<string, string> = {}): Promise<RealServer> {
  const all = { ADMIN_API_KEY: operatorKey, ...env };
  const process = npmStart(repositoryRoot, all);
  return new RealServer(process, await addressOf(process), all);
}
