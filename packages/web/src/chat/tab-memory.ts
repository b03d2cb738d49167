import { type KeyValue, keptIn } from '../storage.ts';
import { fields, readList, readNumber, readString } from '../wire.ts';
import { type Outgoing, outgoing } from './outgoing.ts';

interface TabState {
  /** The live output up to here belongs to turns that have ended. */
  readonly seen: number;
  /** What was written here and is not known to be answered. */
  readonly outgoing: readonly Outgoing[];
}

const NOTHING: TabState = { seen: 0, outgoing: [] };

/** What a tab has to know after a reload, for one session; `null` is the time before there is one. */
export interface TabMemory {
  read(session: string | null): TabState;
  write(session: string | null, state: TabState): void;
}

export function createTabMemory(storage: KeyValue | null): TabMemory {
  const kept = keptIn(storage, 'holdfast.tab');
  return {
    read: (session) => readState(kept.read(), session),
    write(session, { seen, outgoing }) {
      const written = outgoing.map(({ key, text, afterSeq }) => ({ key, text, afterSeq }));
      kept.write({ session, seen, outgoing: written });
    },
  };
}

function readState(stored: unknown, session: string | null): TabState {
  const { session: owner, seen, outgoing: written } = fields(stored);
  if (owner !== session) return NOTHING;
  return {
    seen: readNumber(seen) ?? 0,
    outgoing: readList(written).flatMap((item): Outgoing[] => {
      const { key, text, afterSeq } = fields(item);
      if (readString(key) === '' || readString(text) === '') return [];
      const place = { afterSeq: readNumber(afterSeq), interrupted: true };
      return [outgoing(readString(key), readString(text), place)];
    }),
  };
}
