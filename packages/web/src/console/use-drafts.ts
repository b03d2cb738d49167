import { useEffect, useState } from 'preact/hooks';

export interface Drafts {
  of(id: string): string;
  write(id: string, text: string): void;
  /** Forgets what was sent, and nothing that was written meanwhile. */
  sent(id: string, message: string): void;
}

/** What an operator has begun to write, by session: it outlasts a look at another one, and no sign-out. */
export function useDrafts(signedIn: boolean): Drafts {
  const [drafts, setDrafts] = useState<ReadonlyMap<string, string>>(new Map());
  useEffect(() => {
    if (!signedIn) setDrafts(new Map());
  }, [signedIn]);
  return {
    of: (id) => drafts.get(id) ?? '',
    write: (id, text) => setDrafts((all) => new Map(all).set(id, text)),
    sent: (id, message) =>
      setDrafts((all) => (all.get(id)?.trim() === message ? new Map(all).set(id, '') : all)),
  };
}
