import { ValidationError } from '../errors/errors.ts';
import { type JsonObject, type JsonValue, toJson } from '../json/json-value.ts';

/**
 * `active`: turns run. `handed_over`: a human has the conversation; messages are stored and no model
 * is called. `closed`: turns are refused with `SessionGoneError`.
 */
export type SessionStatus = 'active' | 'handed_over' | 'closed';

export const sessionStatuses: readonly SessionStatus[] = ['active', 'handed_over', 'closed'];

/**
 * A session as it was at one version: frozen, so it never changes under its reader. All times are
 * milliseconds since the Unix epoch, by the store's clock.
 *
 * @typeParam Metadata what the metadata schema makes of the stored metadata.
 */
export interface Session<Metadata extends object = JsonObject> {
  readonly id: string;
  /** Whose session it is; `null` while nobody has logged in. */
  readonly userId: string | null;
  /** The conversation's handle in the agent's own framework; random unless given. */
  readonly threadId: string;
  readonly status: SessionStatus;
  readonly escalated: boolean;
  /** Customer messages, one a turn: the counter of the same name, 0 when there is none. */
  readonly messageCount: number;
  readonly counters: Readonly<Record<string, number>>;
  readonly metadata: Metadata;
  readonly createdAt: number;
  /** The last write. */
  readonly updatedAt: number;
  /** The last write or touch: the idle timeout counts from here. */
  readonly lastActivity: number;
  /**
   * From this instant on the session does not exist: the earlier of the idle and absolute limits. While
   * a turn runs, the end of its lease holds off the idle one.
   */
  readonly expiresAt: number;
  /** Grows by one with every write; 1 at creation. Starts again in a new session of the same id. */
  readonly version: number;
}

/**
 * What `create` and `set` take. A `Session` as read may be passed back: what only the store may set
 * (version, times, message count) is ignored. But not under a metadata schema that transforms: what
 * is stored is the schema's input, and a `Session` has its output.
 */
export interface SessionInit<MetadataInput extends object = JsonObject> {
  readonly userId?: string | null | undefined;
  readonly threadId?: string | undefined;
  readonly status?: SessionStatus | undefined;
  readonly escalated?: boolean | undefined;
  readonly metadata?: MetadataInput | undefined;
  readonly counters?: Readonly<Record<string, number>> | undefined;
}

/** A JSON merge patch (RFC 7396) of `T`: every key may be left out, changed, or removed by `null`. */
export type MergePatch<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Key in keyof T]?: MergePatch<T[Key]> | null }
    : T;

/** What `update` takes. Naming the id, version, counters or times is a `ValidationError`. */
export interface SessionPatch<MetadataInput extends object = JsonObject> {
  readonly userId?: string | null | undefined;
  readonly threadId?: string | undefined;
  readonly status?: SessionStatus | undefined;
  readonly escalated?: boolean | undefined;
  readonly metadata?: MergePatch<MetadataInput> | undefined;
}

/** The part of a session that is rewritten as one value. Metadata is as stored, before the schema. */
export interface SessionState {
  readonly userId: string | null;
  readonly threadId: string;
  readonly status: SessionStatus;
  readonly escalated: boolean;
  readonly metadata: JsonObject;
}

/** What a session knows of its client and token. Never part of a `Session`. */
export interface SessionCredentials {
  /** SHA-256 of the bearer token, base64url; `null` when the session has none. */
  readonly tokenHash: string | null;
  /** When the token was issued: the last authentication. */
  readonly authenticatedAt: number | null;
  /** What the client binding captured of the client; `null` when nothing is bound. */
  readonly clientBinding: JsonValue;
}

/** @throws ValidationError for a part of another type, or a binding that is not JSON. */
export function parseCredentials(input: SessionCredentials): SessionCredentials {
  const { tokenHash, authenticatedAt, clientBinding } = input;
  if (tokenHash !== null && typeof tokenHash !== 'string') {
    throw new ValidationError('tokenHash must be a string or null.');
  }
  if (authenticatedAt !== null && !Number.isSafeInteger(authenticatedAt)) {
    throw new ValidationError('authenticatedAt must be milliseconds since the epoch, or null.');
  }
  return Object.freeze({
    tokenHash,
    authenticatedAt,
    clientBinding: toJson(clientBinding, 'clientBinding'),
  });
}

export const noCredentials: SessionCredentials = Object.freeze({
  tokenHash: null,
  authenticatedAt: null,
  clientBinding: null,
});
