import { useState } from 'preact/hooks';

export interface Drafts {
  of(id: string): string;
  write(id: string, text: string): void;
  /** Forgets what was sent, and nothing that was written meanwhile. */
  sent(id: string, message: string): void;
  forget(): void;
}

/** What an operator has begun to write, by session: it outlasts a look at another one, and a key that is refused. */
export function useDrafts(): Drafts {
  const [drafts, setDrafts] = useState<ReadonlyMap<string, string>>(new Map());
  return {
    of: (id) => drafts.get(id) ?? '',
    write: (id, text) => setDrafts((all) => new Map(all).set(id, text)),
    sent: (id, message) =>
      setDrafts((all) => (all.get(id)?.trim() === message ? new Map(all).set(id, '') : all)),
    forget: () => setDrafts(new Map()),
  };
}
