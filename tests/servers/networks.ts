import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A network of this machine in which servers can be started, reached from outside it. */
export interface Network {
  /** The address of its servers. */
  readonly host: string;
  /** Puts a command into it. */
  readonly within: readonly string[];
}

/**
 * Two networks that reach each other and are reached by this process, until they are cut from each
 * other: Linux network namespaces, which only root can make.
 */
export class Networks implements AsyncDisposable {
  readonly one: Network;
  readonly other: Network;
  readonly #name: string;
  readonly #prefix: string;

  private constructor(name: string, prefix: string) {
    this.#name = name;
    this.#prefix = prefix;
    this.one = network(`${name}a`, `${prefix}.1.2`);
    this.other = network(`${name}b`, `${prefix}.2.2`);
  }

  /** Why there can be none here; null when there can. */
  static async unavailable(): Promise<string | null> {
    if (process.getuid?.() !== 0) return 'only root can make network namespaces';
    const name = `hf${randomInt(1e6)}`;
    try {
      await run('ip', ['netns', 'add', name]);
      await run('ip', ['netns', 'delete', name]);
      return null;
    } catch {
      return 'this machine has no network namespaces';
    }
  }

  static async start(): Promise<Networks> {
    const networks = new Networks(`hf${randomInt(1e6)}`, `10.${randomInt(200, 255)}`);
    try {
      await networks.#build();
      return networks;
    } catch (error) {
      await networks.stop();
      throw error;
    }
  }

  /** Nothing gets from one to the other any more; both are reached from here as before. */
  async cut(): Promise<void> {
    await this.#route('add');
  }

  async heal(): Promise<void> {
    await this.#route('delete');
  }

  async stop(): Promise<void> {
    for (const side of ['a', 'b']) {
      await ip(['link', 'delete', `${this.#name}${side}0`]).catch(() => {});
      await ip(['netns', 'delete', `${this.#name}${side}`]).catch(() => {});
    }
    await ip(['link', 'delete', `${this.#name}br`]).catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** A bridge of this process's own network, with a cable to each of the two. */
  async #build(): Promise<void> {
    const bridge = `${this.#name}br`;
    await ip(['link', 'add', bridge, 'type', 'bridge']);
    await ip(['address', 'add', `${this.#prefix}.0.1/16`, 'dev', bridge]);
    await ip(['link', 'set', bridge, 'up']);
    for (const [side, { host }] of [['a', this.one] as const, ['b', this.other] as const]) {
      const name = `${this.#name}${side}`;
      await ip(['netns', 'add', name]);
      await ip(['link', 'add', `${name}0`, 'type', 'veth', 'peer', 'name', `${name}1`]);
      await ip(['link', 'set', `${name}0`, 'master', bridge, 'up']);
      await ip(['link', 'set', `${name}1`, 'netns', name]);
      await ip(['-n', name, 'address', 'add', `${host}/16`, 'dev', `${name}1`]);
      await ip(['-n', name, 'link', 'set', `${name}1`, 'up']);
      await ip(['-n', name, 'link', 'set', 'lo', 'up']);
    }
  }

  async #route(verb: 'add' | 'delete'): Promise<void> {
    const { one, other } = this;
    await ip(['-n', `${this.#name}a`, 'route', verb, 'blackhole', `${other.host}/32`]);
    await ip(['-n', `${this.#name}b`, 'route', verb, 'blackhole', `${one.host}/32`]);
  }
}

function network(name: string, host: string): Network {
  return { host, within: ['ip', 'netns', 'exec', name] };
}

async function ip(args: readonly string[]): Promise<void> {
  await run('ip', args);
}
