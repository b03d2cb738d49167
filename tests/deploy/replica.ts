import { randomInt } from 'node:crypto';
import { inject } from 'vitest';
import { type RunningProcess, startProcess } from '../helpers/child-process.ts';
import type { DockerDns } from './docker-dns.ts';

/** Loopback addresses that nobody else uses: every replica has one, and all have the same port. */
export function loopbackAddresses(count: number): string[] {
  const network = `127.${randomInt(64, 250)}.${randomInt(1, 250)}`;
  return Array.from({ length: count }, (_, n) => `${network}.${n + 1}`);
}

/** A container of the service `replica`: a built server with an address, known to the DNS while it runs. */
export class Replica {
  readonly address: string;
  readonly #dns: DockerDns;
  readonly #env: Record<string, string>;
  #process: RunningProcess | undefined;

  constructor(address: string, dns: DockerDns, env: Readonly<Record<string, string>>) {
    this.address = address;
    this.#dns = dns;
    this.#env = { ...env, API_HOST: address };
  }

  /** As Docker does, the DNS has its address as soon as there is the process. */
  async start(): Promise<void> {
    const server = startProcess(process.execPath, ['packages/support-agent/dist/main.js'], {
      cwd: inject('builtCopy'),
      env: this.#env,
    });
    this.#process = server;
    this.#dns.addresses.add(this.address);
    await server.says(/Holdfast is ready at \S+/);
  }

  /** `docker stop`. The DNS forgets the address when the process has ended. */
  async stop(): Promise<number | null> {
    if (this.#process === undefined) throw new Error('It does not run.');
    this.#process.send('SIGTERM');
    const { code } = await this.#process.exit;
    this.#dns.addresses.delete(this.address);
    return code;
  }

  get log(): string {
    return this.#process?.stdout ?? '';
  }
}
