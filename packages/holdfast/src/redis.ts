export type { Codec, RecordKind, RecordPlace } from './lib/codec/codec.ts';
export type { RedisSessionStoreOptions } from './lib/redis/redis-options.ts';
export { RedisSessionStore } from './lib/redis/redis-session-store.ts';
export type { RekeyOptions, RekeyProgress } from './lib/redis/upkeep/rekeying.ts';
