export {
  InMemorySessionStore,
  type InMemorySessionStoreOptions,
} from './lib/memory/in-memory-session-store.ts';
