/** What happens to sessions, by name, with what its listeners are told. */
export interface StoreEvents {
  created: { readonly sessionId: string; readonly userId: string | null };
  /** Removed because a limit was reached. Told once, when the removal happens. */
  expired: { readonly sessionId: string; readonly userId: string | null };
  /** Removed to make room: the store's capacity, or the user's. */
  evicted: { readonly sessionId: string; readonly userId: string | null };
  deleted: { readonly sessionId: string; readonly userId: string | null };
  /** Redis has an older version than this process had seen: a failover, or a restart, lost writes. */
  lostWrites: {
    readonly sessionId: string;
    readonly knownVersion: number;
    readonly version: number;
  };
  /** `escalated` became true. */
  escalated: { readonly sessionId: string; readonly userId: string | null };
  /** `status` changed. */
  status: {
    readonly sessionId: string;
    readonly userId: string | null;
    readonly status: 'active' | 'handed_over' | 'closed';
  };
}

export type StoreEventName = keyof StoreEvents;
export type StoreEventListener<Name extends StoreEventName> = (event: StoreEvents[Name]) => void;
