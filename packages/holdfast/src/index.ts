export type { CancelTimer, Clock } from './lib/clock.ts';
export { systemClock } from './lib/clock.ts';
export {
  type CreateManagerOptions,
  createSessionManager,
} from './lib/config/create-session-manager.ts';
export { type CreateStoreOptions, createSessionStore } from './lib/config/create-session-store.ts';
export type { EncryptionConfig } from './lib/config/encryption-config.ts';
export { type Config, type LoadConfigOptions, loadConfig } from './lib/config/load-config.ts';
export { rereadSecrets } from './lib/config/reread-secrets.ts';
export { Secret } from './lib/config/secret.ts';
export * from './lib/errors/errors.ts';
export { type ErrorCode, errorRegistry } from './lib/errors/registry.ts';
export type { JsonObject, JsonPrimitive, JsonValue } from './lib/json/json-value.ts';
export type { ClientBinding, ClientInfo } from './lib/manager/client-binding.ts';
export type { SessionEventName, SessionEvents } from './lib/manager/session-events.ts';
export {
  type NewSession,
  SessionManager,
  type SessionManagerOptions,
  type StartedTurn,
} from './lib/manager/session-manager.ts';
export type { Turn, TurnMessagesOptions } from './lib/manager/turn.ts';
export type { TurnEnded } from './lib/manager/turn-course.ts';
export type { TurnOptions } from './lib/manager/turn-options.ts';
export type { TurnWork } from './lib/manager/turn-runner.ts';
export type { Message, MessageRole, NewMessage, PreparedMessage } from './lib/model/message.ts';
export type { MetadataSchema } from './lib/model/metadata.ts';
export type {
  MergePatch,
  Session,
  SessionCredentials,
  SessionInit,
  SessionPatch,
  SessionState,
  SessionStatus,
} from './lib/model/session.ts';
export type { LiveOutput, PreparedOutput, TurnEvent } from './lib/model/turn-event.ts';
export type { Durations } from './lib/store/durations.ts';
export { type Logger, silentLogger } from './lib/store/emitter.ts';
export type * from './lib/store/session-store.ts';
export type { StoreEventListener, StoreEventName, StoreEvents } from './lib/store/store-events.ts';
export type { StoreOptions } from './lib/store/store-options.ts';
export type { ServerStats, StoreHealth, StoreStats } from './lib/store/store-stats.ts';
export type { TurnReport } from './lib/store/turn-figures.ts';
export type {
  BeginOptions,
  CommitResult,
  EffectNames,
  Idempotency,
  Lease,
  OnBusy,
  TurnChanges,
  TurnEnd,
  TurnGrant,
  TurnReplay,
  TurnStore,
} from './lib/store/turn-store.ts';
export type { UnreadableSession } from './lib/store/unreadable.ts';
export type { AttributeValue, Span, SpanOptions, Tracer } from './lib/telemetry/tracer.ts';
