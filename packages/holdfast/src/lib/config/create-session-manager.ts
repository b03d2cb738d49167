import type { JsonObject } from '../json/json-value.ts';
import type { ClientBinding } from '../manager/client-binding.ts';
import { SessionManager } from '../manager/session-manager.ts';
import type { Tracer } from '../telemetry/tracer.ts';
import { createClientBinding } from './create-client-binding.ts';
import { type CreateStoreOptions, createSessionStore } from './create-session-store.ts';
import type { Config } from './load-config.ts';

export interface CreateManagerOptions<
  Metadata extends object = JsonObject,
  MetadataInput extends object = Metadata,
> extends CreateStoreOptions<Metadata, MetadataInput> {
  /** How sessions are bound to their clients. Default: as SESSION_FINGERPRINTING_ENABLED says. */
  readonly clientBinding?: ClientBinding | undefined;
  /** Refuse a client that does not match, instead of only reporting it. Default: SESSION_FINGERPRINT_STRICT. */
  readonly strictClientBinding?: boolean | undefined;
  /** OpenTelemetry's, for spans of turns and of what they ask of the store. Default: none. */
  readonly tracer?: Tracer | undefined;
}

/** The sessions of this configuration, on a store of their own. Close them when done. */
export async function createSessionManager<
  Metadata extends object = JsonObject,
  MetadataInput extends object = Metadata,
>(
  config: Config,
  options: CreateManagerOptions<Metadata, MetadataInput> = {},
): Promise<SessionManager<Metadata, MetadataInput>> {
  const { fingerprint } = config;
  const clientBinding = options.clientBinding ?? (await createClientBinding(fingerprint));
  const strictClientBinding = options.strictClientBinding ?? fingerprint.strict;
  const store = await createSessionStore(config, options);
  const { leaseMs, waitMs, maxTurnMs } = config.turn;
  const binding = { clientBinding, strictClientBinding };
  return new SessionManager({ ...options, ...binding, store, leaseMs, waitMs, maxTurnMs });
}
