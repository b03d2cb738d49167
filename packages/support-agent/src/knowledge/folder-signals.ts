import { type FSWatcher, watch } from 'node:fs';
import type { SeenFolder } from './article-files.ts';

/** The system has a limit of its own, for all processes together. */
const maxWatched = 256;

/**
 * Tells that something may have changed in some folders. It tells too often, and where watching does
 * not work (network drives, containers, no watches left) it never does: whoever needs to know looks
 * for themselves from time to time.
 */
export class FolderSignals {
  readonly #onSignal: () => void;
  readonly #watchers = new Map<string, FSWatcher>();

  constructor(onSignal: () => void) {
    this.#onSignal = onSignal;
  }

  /**
   * Watches these folders, and no others any more. One by one: a recursive watch is one for each file
   * on Linux.
   *
   * @returns whether any was not watched before, so that something may have changed unnoticed.
   */
  follow(folders: readonly SeenFolder[]): boolean {
    const wanted = new Map(
      folders.slice(0, maxWatched).map((folder) => [`${folder.inode} ${folder.path}`, folder.path]),
    );
    for (const key of this.#watchers.keys()) if (!wanted.has(key)) this.#end(key);
    const news = [...wanted].filter(([key]) => !this.#watchers.has(key));
    return news.filter(([key, path]) => this.#begin(key, path)).length > 0;
  }

  close(): void {
    this.follow([]);
  }

  #begin(key: string, path: string): boolean {
    try {
      const watcher = watch(path, { persistent: false }, this.#onSignal);
      watcher.on('error', () => this.#end(key));
      this.#watchers.set(key, watcher);
      return true;
    } catch {
      return false; // gone, or nothing is left to watch it with
    }
  }

  #end(key: string): void {
    this.#watchers.get(key)?.close();
    this.#watchers.delete(key);
  }
}
