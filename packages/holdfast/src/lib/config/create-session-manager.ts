import type { JsonObject } from '../json/json-value.ts';
import type { ClientBinding } from '../manager/client-binding.ts';
import { SessionManager } from '../manager/session-manager.ts';
import { type CreateStoreOptions, createSessionStore } from './create-session-store.ts';
import type { Config } from './load-config.ts';

export interface CreateManagerOptions<
  Metadata extends object = JsonObject,
  MetadataInput extends object = Metadata,
> extends CreateStoreOptions<Metadata, MetadataInput> {
  /** How sessions are bound to their clients. Default: by their token alone. */
  readonly clientBinding?: ClientBinding | undefined;
  /** Refuse a client that does not match, instead of only reporting it. Default false. */
  readonly strictClientBinding?: boolean | undefined;
}

/** The sessions of this configuration, on a store of their own. Close them when done. */
export async function createSessionManager<
  Metadata extends object = JsonObject,
  MetadataInput extends object = Metadata,
>(
  config: Config,
  options: CreateManagerOptions<Metadata, MetadataInput> = {},
): Promise<SessionManager<Metadata, MetadataInput>> {
  const store = await createSessionStore(config, options);
  const { leaseMs, waitMs, maxTurnMs } = config.turn;
  return new SessionManager({ ...options, store, leaseMs, waitMs, maxTurnMs });
}
