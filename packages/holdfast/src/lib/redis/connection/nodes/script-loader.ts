import type { RedisConnection } from '../redis-connection.ts';
import type { Script } from '../script.ts';
import type { LiveConnection } from './live-connection.ts';

/** Loads the scripts of a link, all at once, into the server at a connection's end. */
export class ScriptLoader {
  readonly #scripts: readonly Script[];
  readonly #loading = new WeakMap<LiveConnection, Promise<void>>();

  constructor(scripts: readonly Script[]) {
    this.#scripts = scripts;
  }

  async load(connection: RedisConnection): Promise<void> {
    const loads = this.#scripts.map(({ source }) => connection.send(['SCRIPT', 'LOAD', source]));
    await Promise.all(loads);
  }

  /**
   * One load serves every call that finds its script gone: replies come in order, so that those sent
   * before it have all failed when it is done, and those sent after it find the scripts.
   */
  reload(live: LiveConnection): Promise<void> {
    const running = this.#loading.get(live);
    if (running !== undefined) return running;
    const loading = live
      .track((connection) => this.load(connection))
      .finally(() => this.#loading.delete(live));
    this.#loading.set(live, loading);
    return loading;
  }
}
