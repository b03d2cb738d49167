import { OutcomeUnknownError, StoreUnavailableError } from '../errors/errors.ts';
import type { Session } from '../model/session.ts';
import type { BatchEntry, BatchResult, ReadOptions } from '../store/session-store.ts';

/** The sessions that there are of these, each asked for once. */
export async function getEach<Metadata extends object>(
  ids: readonly string[],
  get: (id: string) => Promise<Session<Metadata> | null>,
): Promise<ReadonlyMap<string, Session<Metadata>>> {
  const unique = [...new Set(ids)];
  const sessions = await Promise.all(unique.map(get));
  return new Map(
    sessions.flatMap((session, at) =>
      session === null ? [] : [[unique[at] ?? '', session] as const],
    ),
  );
}

/**
 * Each by itself: one that is refused, or whose outcome is unknown, keeps none of the others, nor what became of
 * them. @throws StoreUnavailableError where none was written for want of the store
 */
export async function setEach<Metadata extends object, MetadataInput extends object>(
  entries: readonly BatchEntry<MetadataInput>[],
  set: (entry: BatchEntry<MetadataInput>) => Promise<Session<Metadata>>,
): Promise<readonly BatchResult<Metadata>[]> {
  const failures: StoreUnavailableError[] = [];
  const results = await Promise.all(
    entries.map(async (entry): Promise<BatchResult<Metadata>> => {
      const { id } = entry;
      try {
        return { id, session: await set(entry) };
      } catch (error) {
        if (error instanceof StoreUnavailableError) failures.push(error);
        return { id, error: error as Error };
      }
    }),
  );
  const [failure] = failures;
  if (failure !== undefined && failures.length === entries.length) throw failure;
  return results;
}

/** How many of these there were. One that fails keeps none of the others. */
export async function deleteEach(
  ids: readonly string[],
  remove: (id: string) => Promise<boolean>,
): Promise<number> {
  const deleted = await allOf([...new Set(ids)].map(remove));
  return deleted.filter(Boolean).length;
}

/**
 * Of a piece of work that goes on when one of its writes fails, and adds that to `failures`.
 * @throws the gravest of them, also when the work cannot go on; an aborted signal's reason before any
 */
export async function despiteFailures<Result>(
  work: (failures: unknown[]) => Promise<Result>,
  { signal }: ReadOptions = {},
): Promise<Result> {
  const failures: unknown[] = [];
  const outcome = await work(failures).then(
    (result) => ({ result }),
    (error: unknown) => {
      signal?.throwIfAborted();
      failures.push(error);
    },
  );
  if (outcome === undefined || failures.length > 0) throw gravest(failures);
  return outcome.result;
}

/** Of what several writes failed with, what says most: that one of them may have taken effect. */
function gravest(failures: readonly unknown[]): unknown {
  return failures.find((failure) => failure instanceof OutcomeUnknownError) ?? failures[0];
}

/** Waits for all of them, whatever becomes of any. @throws the gravest failure */
export async function allOf<Result>(writes: readonly Promise<Result>[]): Promise<Result[]> {
  const failures: unknown[] = [];
  const results: Result[] = [];
  for (const outcome of await Promise.allSettled(writes)) {
    if (outcome.status === 'fulfilled') results.push(outcome.value);
    else failures.push(outcome.reason);
  }
  if (failures.length > 0) throw gravest(failures);
  return results;
}
