import type { JsonValue } from '../json/json-value.ts';

/** Who calls, as far as the caller's server can tell. */
export interface ClientInfo {
  readonly ipAddress?: string | undefined;
  readonly userAgent?: string | undefined;
}

/**
 * How a session is bound to its client: what is kept of the client when the session begins, and what
 * has changed when one comes back. A fingerprint is one kind; a proof of possession could be another.
 */
export interface ClientBinding {
  capture(client: ClientInfo): JsonValue;
  /** The names of the features that differ; none when it is the same client. */
  differences(bound: JsonValue, client: ClientInfo): readonly string[];
}

/** Sessions are bound to their token alone. */
export const unbound: ClientBinding = {
  capture: () => null,
  differences: () => [],
};
