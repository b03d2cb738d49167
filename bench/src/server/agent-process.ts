import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const readyPattern = /ready at http:\/\/localhost:(\d+)/;

/** The built server as a process of its own, with the settings that a fresh one has. */
export class AgentProcess {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /**
   * @param main the built program
   * @param inspectorPort where it waits for an inspector; nowhere unless given
   */
  static async start(
    main: string,
    settings: Record<string, string>,
    inspectorPort?: number,
  ): Promise<AgentProcess> {
    const flags = inspectorPort === undefined ? [] : [`--inspect=127.0.0.1:${inspectorPort}`];
    const child = spawn(process.execPath, [...flags, main], {
      env: {
        PATH: process.env.PATH,
        API_PORT: '0',
        RATE_LIMIT_ENABLED: 'false',
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const port = readyPattern.exec(line)?.[1];
      if (port === undefined) continue;
      child.stdout.resume();
      return new AgentProcess(child, Number(port));
    }
    throw new Error('The server ended before it was ready.');
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('The server was not started.');
    return this.#child.pid;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}
