import { useLayoutEffect, useState } from 'preact/hooks';
import type { Kept } from '../storage.ts';
import { fields, readString } from '../wire.ts';

export interface Drafts {
  of(id: string): string;
  write(id: string, text: string): void;
  /** Forgets what was sent, and nothing that was written meanwhile. */
  sent(id: string, message: string): void;
  forget(): void;
}

/** What an operator has begun to write, by session: it outlasts a look at another one, a key that is refused, and a reload. */
export function useDrafts(kept: Kept): Drafts {
  const [drafts, setDrafts] = useState(() => draftsIn(kept));
  useLayoutEffect(() => {
    kept.write(drafts.size > 0 ? Object.fromEntries(drafts) : null);
  }, [kept, drafts]);
  return {
    of: (id) => drafts.get(id) ?? '',
    write: (id, text) => setDrafts((all) => new Map(all).set(id, text)),
    sent: (id, message) =>
      setDrafts((all) => (all.get(id)?.trim() === message ? new Map(all).set(id, '') : all)),
    forget: () => setDrafts(new Map()),
  };
}

function draftsIn(kept: Kept): ReadonlyMap<string, string> {
  return new Map(Object.entries(fields(kept.read())).map(([id, text]) => [id, readString(text)]));
}
