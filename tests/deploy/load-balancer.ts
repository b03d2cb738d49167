import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type RunningProcess, startProcess } from '../helpers/child-process.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { onPath } from '../servers/on-path.ts';
import { deployFolder } from './compose-file.ts';
import type { DockerDns } from './docker-dns.ts';

export const [nginx] = onPath('nginx', `${process.env.PATH}:/usr/sbin`);

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface LoadBalancerOptions {
  /** Of `deploy/nginx`. */
  readonly config: string;
  readonly dns: DockerDns;
  /** Further places that are other ones here, as they stand in the files. */
  readonly places?: Readonly<Record<string, string>>;
}

/** A real nginx on the files of `deploy/nginx`, in which places are those of this machine. */
export class LoadBalancer {
  readonly port: number;
  readonly process: RunningProcess;
  readonly #folder: string;

  private constructor(port: number, process: RunningProcess, folder: string) {
    this.port = port;
    this.process = process;
    this.#folder = folder;
  }

  /** One that accepts connections; it ends with the test. */
  static async start({ config, dns, places = {} }: LoadBalancerOptions): Promise<LoadBalancer> {
    const folder = temporaryFolder();
    const [port, secondPort] = await Promise.all([freePort(), freePort()]);
    cpSync(join(deployFolder, 'nginx'), folder, { recursive: true });
    const here: Record<string, string> = {
      'listen 8080': `listen 127.0.0.1:${config === 'plain.conf' ? port : secondPort}`,
      ...(config === 'tls.conf' && { 'listen 8443': `listen 127.0.0.1:${port}` }),
      'resolver 127.0.0.11': `resolver 127.0.0.1:${dns.port}`,
      '/dev/stdout': join(folder, 'access.log'),
      '/tmp/': `${folder}/`,
      'worker_processes auto': 'worker_processes 2',
      ...places,
    };
    const used = new Set<string>();
    const there = new RegExp(
      Object.keys(here)
        .map((place) => place.replace(/[.${]/g, '\\$&'))
        .join('|'),
      'g',
    );
    for (const name of ['common.conf', 'routes.conf', config]) {
      const text = readFileSync(join(folder, name), 'utf8');
      const placed = text.replace(there, (place) => {
        used.add(place);
        return here[place] ?? place;
      });
      writeFileSync(join(folder, name), placed);
    }
    expect([...used].toSorted()).toEqual(Object.keys(here).toSorted());
    // As root its workers would be somebody who may not enter the folder.
    const main = `daemon off;${process.getuid?.() === 0 ? ' user root;' : ''}`;
    const running = startProcess(nginx ?? 'nginx', ['-c', join(folder, config), '-g', main], {
      cwd: folder,
    });
    const balancer = new LoadBalancer(port, running, folder);
    const ended = running.exit.then(() => {
      throw new Error(`nginx ended:\n${running.stderr}`);
    });
    await Promise.race([
      ended,
      expect.poll(() => balancer.#accepts(), { timeout: 60_000 }).toBe(true),
    ]);
    ended.catch(() => {}); // with the test
    return balancer;
  }

  /** The servers that each request was sent to, in the order of its attempts. */
  attempts(): string[][] {
    const lines = readFileSync(join(this.#folder, 'access.log'), 'utf8').trim().split('\n');
    return lines.map((line) => /tried=(.*) answered=/.exec(line)?.[1]?.split(', ') ?? []);
  }

  #accepts(): Promise<boolean> {
    return fetch(`http://127.0.0.1:${this.port}/metrics`).then(
      () => true,
      () => false,
    );
  }
}
