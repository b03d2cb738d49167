export interface StoreStats {
  readonly storeType: 'in_memory' | 'redis';
  readonly activeSessions: number;
  readonly maxSessions: number | null;
  readonly activeLeases: number;
  readonly waiters: number;
  readonly l1CacheEnabled: boolean;
  readonly l1CacheSize: number;
  /** Hits of all reads, 0 to 1. */
  readonly l1CacheHitRate: number;
  readonly encryptionEnabled: boolean;
  readonly lockingEnabled: boolean;
}

export interface StoreHealth {
  readonly healthy: boolean;
  readonly operations: { readonly set: boolean; readonly get: boolean; readonly delete: boolean };
  /** What failed, in one sentence; absent when healthy. */
  readonly error?: string;
}
