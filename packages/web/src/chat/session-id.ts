import type { KeyValue } from '../storage.ts';

/** Where the current session's id is remembered. `null` means that there is no session. */
export interface SessionId {
  read(): string | null;
  write(id: string): void;
  /** Forgets this one; another, which another tab has begun meanwhile, stays. */
  clear(id: string | null): void;
}

export const SESSION_KEY = 'holdfast.session_id';

const VALID = /^[A-Za-z0-9._:@-]{1,255}$/;

/**
 * Only the id is kept, never the token: that stays in an HttpOnly cookie. Storage is read each time,
 * since all tabs share one cookie and so must agree on one session. A browser that refuses storage
 * (`null`, or a throw) gets a session that lasts as long as the page.
 */
export function createSessionId(storage: KeyValue | null): SessionId {
  let remembered: string | null = null;
  function read(): string | null {
    try {
      if (storage !== null) remembered = storage.getItem(SESSION_KEY);
    } catch {
      storage = null;
    }
    return remembered !== null && VALID.test(remembered) ? remembered : null;
  }
  return {
    read,
    write(id) {
      remembered = id;
      try {
        storage?.setItem(SESSION_KEY, id);
      } catch {
        storage = null;
      }
    },
    clear(id) {
      if (read() !== id) return;
      remembered = null;
      try {
        storage?.removeItem(SESSION_KEY);
      } catch {
        storage = null;
      }
    },
  };
}
