import type { KeyValue } from '../storage.ts';
import { fields, readList, readNumber, readString } from '../wire.ts';
import { type Outgoing, outgoing } from './outgoing.ts';

const TAB_KEY = 'holdfast.tab';

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

/** A browser that refuses storage gets a tab that forgets. */
export function createTabMemory(storage: KeyValue | null): TabMemory {
  let written = '';
  return {
    read(session) {
      let text: string | null = null;
      try {
        text = storage?.getItem(TAB_KEY) ?? null;
      } catch {
        storage = null;
      }
      return readState(text, session);
    },
    write(session, { seen, outgoing }) {
      const kept = outgoing.map(({ key, text, afterSeq }) => ({ key, text, afterSeq }));
      const text = JSON.stringify({ session, seen, outgoing: kept });
      if (text === written) return;
      written = text;
      try {
        storage?.setItem(TAB_KEY, text);
      } catch {
        storage = null;
      }
    },
  };
}

function readState(text: string | null, session: string | null): TabState {
  let stored: unknown;
  try {
    stored = JSON.parse(text ?? '');
  } catch {
    return NOTHING;
  }
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
