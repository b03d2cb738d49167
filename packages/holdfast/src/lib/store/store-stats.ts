import type { TurnReport } from './turn-figures.ts';

/** How the store stands. What is told of turns and of the L1 cache is this process's own. */
export interface StoreStats {
  readonly storeType: 'in_memory' | 'redis';
  /** Those that expired up to 5 s ago may still be counted. */
  readonly activeSessions: number;
  readonly maxSessions: number | null;
  readonly activeLeases: number;
  readonly waiters: number;
  readonly l1CacheEnabled: boolean;
  readonly l1CacheSize: number;
  /** Hits of all reads, 0 to 1. */
  readonly l1CacheHitRate: number;
  readonly l1CacheHits: number;
  readonly l1CacheMisses: number;
  /** Sessions that were dropped from it because they had changed. */
  readonly l1CacheInvalidations: number;
  readonly encryptionEnabled: boolean;
  /** Of all keys of the ring, the writing one first; empty without encryption. */
  readonly encryptionKeyIds: readonly string[];
  readonly lockingEnabled: boolean;
  readonly turns: TurnReport;
  /** `null` where sessions are kept in this process, or the server's user may not ask. */
  readonly server: ServerStats | null;
}

export interface ServerStats {
  readonly version: string;
  readonly usedMemoryBytes: number;
  readonly connectedClients: number;
}

export interface StoreHealth {
  readonly healthy: boolean;
  readonly operations: { readonly set: boolean; readonly get: boolean; readonly delete: boolean };
  /** What failed, in one sentence; absent when healthy. */
  readonly error?: string;
}
