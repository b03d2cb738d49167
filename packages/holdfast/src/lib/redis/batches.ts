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

/** Each by itself: one that is refused keeps none of the others. @throws what fails all of them */
export function setEach<Metadata extends object, MetadataInput extends object>(
  entries: readonly BatchEntry<MetadataInput>[],
  set: (entry: BatchEntry<MetadataInput>) => Promise<Session<Metadata>>,
  { signal }: ReadOptions = {},
): Promise<readonly BatchResult<Metadata>[]> {
  return Promise.all(
    entries.map(async (entry): Promise<BatchResult<Metadata>> => {
      const { id } = entry;
      try {
        return { id, session: await set(entry) };
      } catch (error) {
        signal?.throwIfAborted();
        if (isOutage(error)) throw error;
        return { id, error: error as Error };
      }
    }),
  );
}

/** How many of these there were. */
export async function deleteEach(
  ids: readonly string[],
  remove: (id: string) => Promise<boolean>,
): Promise<number> {
  const deleted = await Promise.all([...new Set(ids)].map(remove));
  return deleted.filter(Boolean).length;
}

/** Whether the whole batch fails, and not one of its entries. */
function isOutage(error: unknown): boolean {
  return error instanceof StoreUnavailableError || error instanceof OutcomeUnknownError;
}
