import type { JsonObject } from '../../json/json-value.ts';
import { isId } from '../../model/ids.ts';
import type { Importing, ImportVerdict } from '../../redis/upkeep/importing.ts';
import type { OriginalKeys } from './original-keys.ts';
import { type OriginalRecord, readRecord } from './original-record.ts';
import type { Originals, StoredOriginal } from './originals.ts';
import { UnreadableOriginal } from './unreadable-original.ts';

/** Where sessions go. */
type Target = Pick<
  Importing<JsonObject>,
  'look' | 'import' | 'digestOf' | 'forget' | 'forgetExpired'
>;

export interface MigrationOptions {
  readonly originals: Originals;
  readonly keys: OriginalKeys;
  readonly target: Target;
  /** Whether sessions are imported; otherwise it is only counted what would be. */
  readonly apply: boolean;
  /** Whether originals that have been imported, and have not changed since, are removed. */
  readonly remove: boolean;
  /** Called after each batch. */
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
  readonly signal: AbortSignal;
}

/** What a run did, or would do. */
export interface MigrationResult {
  readonly found: number;
  /** Of the originals, how many of each kind; `expired` were gone before their turn came. */
  readonly counts: Readonly<Record<ImportVerdict | 'expired' | 'failed', number>>;
  /** Ids of sessions that are kept as Holdfast has them, though the originals are others. */
  readonly kept: Readonly<Record<'committed' | 'deleted' | 'exists', readonly string[]>>;
  /** Sessions that could not be taken over, and why. */
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
  /** Originals removed. */
  readonly removed: number;
}

/** Sessions read in one go, and handled at once. */
const batch = 100;

/**
 * Takes the sessions of Python v2.0 over, as far as they are new or have changed. Each is imported as a
 * whole or not at all, and noted with it: after an end half-way, the next run goes on from there.
 *
 * @throws StoreUnavailableError; the signal's reason when it aborts
 */
export async function migrate(options: MigrationOptions): Promise<MigrationResult> {
  const { originals, target, remove, onProgress, signal } = options;
  const ids = await originals.ids(signal);
  const tally = new Tally();
  for (let at = 0; at < ids.length; at += batch) {
    signal.throwIfAborted();
    const some = ids.slice(at, at + batch);
    const there = await originals.read(some.filter(isId));
    for (const id of some) {
      if (!isId(id))
        tally.fail(id, 'has an id that is not 1 to 255 characters of A-Z a-z 0-9 . _ : @ -');
    }
    tally.counts.expired += some.filter(isId).length - there.length;
    await Promise.all(there.map((stored) => one(stored, options, tally)));
    onProgress?.({ done: Math.min(at + batch, ids.length), total: ids.length });
  }
  if (remove) {
    const known = new Set(ids);
    await target.forgetExpired(await originals.now(), (id) => known.has(id));
  }
  return { found: ids.length, ...tally };
}

async function one(
  stored: StoredOriginal,
  { keys, target, apply, remove, originals }: MigrationOptions,
  tally: Tally,
): Promise<void> {
  const { id, original } = stored;
  const verdict = await target.look(id, original);
  const outcome =
    verdict === 'new' || verdict === 'changed'
      ? await takeOver(stored, verdict, { keys, target, apply }, tally)
      : verdict;
  if (outcome === null) return;
  tally.count(outcome, id);
  // What would be imported is not: the original has something that Holdfast has not.
  const isBehind = !apply && (outcome === 'new' || outcome === 'changed');
  if (!remove || isBehind || (await target.digestOf(id)) !== original.digest) return;
  if (!(await originals.remove(stored))) return;
  await target.forget(id);
  tally.removed += 1;
}

/** What became of it; `null` when it could not be read. */
async function takeOver(
  { id, value, original, remainingMs }: StoredOriginal,
  verdict: 'new' | 'changed',
  { keys, target, apply }: Pick<MigrationOptions, 'keys' | 'target' | 'apply'>,
  tally: Tally,
): Promise<ImportVerdict | 'expired' | null> {
  let record: OriginalRecord;
  try {
    record = readRecord(id, value, keys);
  } catch (error) {
    if (!(error instanceof UnreadableOriginal)) throw error;
    tally.fail(id, error.message);
    return null;
  }
  if (!apply) return verdict;
  const left = remainingMs();
  if (left !== null && left <= 0) return 'expired';
  const times = { ...record.times, remainingMs };
  const outcome = await target.import(id, original, record.init, times);
  return outcome === 'imported' ? verdict : outcome;
}

class Tally implements Omit<MigrationResult, 'found'> {
  readonly counts = {
    ...{ new: 0, changed: 0, unchanged: 0, ended: 0, committed: 0, deleted: 0, exists: 0 },
    ...{ expired: 0, failed: 0 },
  };
  readonly kept = {
    committed: [] as string[],
    deleted: [] as string[],
    exists: [] as string[],
  };
  readonly failed: { readonly id: string; readonly reason: string }[] = [];
  removed = 0;

  count(outcome: ImportVerdict | 'expired', id: string): void {
    this.counts[outcome] += 1;
    if (outcome === 'committed' || outcome === 'deleted' || outcome === 'exists') {
      this.kept[outcome].push(id);
    }
  }

  fail(id: string, reason: string): void {
    this.counts.failed += 1;
    this.failed.push({ id, reason });
  }
}
