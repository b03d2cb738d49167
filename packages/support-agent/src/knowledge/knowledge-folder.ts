import { resolve } from 'node:path';
import type { Logger } from '../logger.ts';
import { type ArticleFiles, findArticles } from './article-files.ts';
import { FolderSignals } from './folder-signals.ts';
import type { Knowledge, KnowledgeBase, SearchOptions } from './knowledge-base.ts';
import { bundledKnowledge, readArticles } from './load-knowledge.ts';
import type { Passage } from './passage.ts';

/** Looking at many files takes its time: of all time, this part at most. */
const maxShare = 0.05;

/** How long the files must be left alone: until then somebody may be writing them. */
const settleMs = 200;
/** What does not come to rest after so many looks is read as it is. */
const maxUnsettledLooks = 25;

export interface KnowledgeFolderOptions {
  /** How often the folder is looked at, in case its system tells nothing of changes; 3,000 unless given. */
  readonly pollMs?: number;
}

/**
 * Reads the articles of a folder, and again whenever they change.
 *
 * @throws ConfigError as `loadKnowledge` does. Later on that is logged, and the articles of before stay.
 */
export async function openKnowledge(
  directory: string = bundledKnowledge,
  logger?: Logger,
  options: KnowledgeFolderOptions = {},
): Promise<KnowledgeFolder> {
  const files = await findArticles(resolve(directory));
  const base = await readArticles(files, logger);
  logger?.info(countsOf(base), 'knowledge loaded');
  return new KnowledgeFolder(base, files, logger, options);
}

/** The articles of a folder as they are now: a search sees all of before a change, or all of after. */
export class KnowledgeFolder implements Knowledge {
  readonly #folder: string;
  readonly #logger: Logger | undefined;
  readonly #pollMs: number;
  readonly #signals = new FolderSignals(() => this.#lookSoon());
  #base: KnowledgeBase;
  /** Of the files when they were last read, with or without success. */
  #readVersion: string;
  /** Of the files when they were last looked at. */
  #seenVersion: string;
  #unsettledLooks = 0;
  #timer: NodeJS.Timeout | undefined;
  #isDueSoon = false;
  #running: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(
    base: KnowledgeBase,
    files: ArticleFiles,
    logger: Logger | undefined,
    { pollMs = 3_000 }: KnowledgeFolderOptions,
  ) {
    this.#base = base;
    this.#folder = files.folder;
    this.#readVersion = files.version;
    this.#seenVersion = files.version;
    this.#logger = logger;
    this.#pollMs = pollMs;
    this.#signals.follow(files.folders);
    // Something may have changed before it was watched.
    this.#lookSoon();
  }

  /** How many sections there are. */
  get size(): number {
    return this.#base.size;
  }

  search(question: string, options?: SearchOptions): Passage[] {
    return this.#base.search(question, options);
  }

  /** Stops reading. What was read can still be searched. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#signals.close();
    await this.#running;
  }

  #lookSoon(): void {
    if (this.#isDueSoon) return;
    this.#isDueSoon = true;
    this.#lookIn(settleMs);
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      // One after the other: a signal may come while the files are read.
      this.#running = this.#running.then(() => this.#look());
    }, ms).unref();
  }

  async #look(): Promise<void> {
    if (this.#isClosed) return;
    this.#isDueSoon = false;
    const started = performance.now();
    const { version, folders, read } = await this.#find();
    if (this.#isClosed) return;
    if (this.#signals.follow(folders)) this.#lookSoon();
    const unsettledLooks = this.#unsettledLooks + 1;
    const isForced = unsettledLooks > maxUnsettledLooks;
    const isSettled = version === this.#seenVersion || isForced;
    this.#seenVersion = version;
    this.#unsettledLooks = isSettled ? 0 : unsettledLooks;
    if (isSettled && version !== this.#readVersion) {
      const isCurrent = async () => isForced || (await this.#find()).version === version;
      if (await this.#replace(read, isCurrent)) this.#readVersion = version;
      else {
        this.#unsettledLooks = unsettledLooks;
        this.#lookSoon();
      }
    }
    if (this.#isDueSoon) return;
    if (isSettled) this.#lookIn(Math.max(this.#pollMs, (performance.now() - started) / maxShare));
    else this.#lookSoon();
  }

  async #find() {
    try {
      const files = await findArticles(this.#folder);
      const { version, folders } = files;
      return { version, folders, read: () => readArticles(files, this.#logger) };
    } catch (error) {
      return { version: String(error), folders: [], read: () => Promise.reject(error) };
    }
  }

  /** @returns `false` when the files changed while they were read, so that they must be read again. */
  async #replace(
    read: () => Promise<KnowledgeBase>,
    isCurrent: () => Promise<boolean>,
  ): Promise<boolean> {
    try {
      const base = await read();
      if (!(await isCurrent())) return false;
      if (this.#isClosed) return true;
      this.#base = base;
      this.#logger?.info(countsOf(base), 'knowledge reloaded');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#logger?.warn({ reason }, 'knowledge not reloaded: the articles of before stay');
    }
    return true;
  }
}

function countsOf({ articles, size }: KnowledgeBase) {
  return { articles, sections: size };
}
