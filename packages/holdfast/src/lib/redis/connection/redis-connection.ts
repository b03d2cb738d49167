import type { RedisAddress } from './redis-address.ts';

export type RedisArgument = string | Buffer;

/** Bulk, simple and verbatim strings are Buffers; a map is the array of its keys and values in turn. */
export type RedisReply = number | Buffer | null | readonly RedisReply[];

/**
 * One connection, the least that Holdfast needs of a client library. It never reconnects, never
 * queues while offline and never retries: all of that is `RedisLink`'s. Replies come in the order of
 * the commands.
 */
export interface RedisConnection {
  /**
   * Rejects with whatever the client library throws: `explain` says what that means. (To translate
   * it here would cost every call a promise.)
   */
  send(args: readonly RedisArgument[]): Promise<RedisReply>;
  /** What a rejection of `send`, `subscribe` or `unsubscribe` means; what it has said stays as it is. */
  explain(error: unknown): RedisReplyError | ConnectionLostError;
  /**
   * Resolves when the server has confirmed it. Calls for one channel must not overlap.
   * @param kind plain unless given
   */
  subscribe(channel: string, kind?: ChannelKind): Promise<void>;
  unsubscribe(channel: string, kind?: ChannelKind): Promise<void>;
  /** Set once, by the owner: gets what comes on subscribed channels. Must not throw. */
  onMessage: ((channel: string, message: Buffer) => void) | undefined;
  /** Set once, by the owner: a sharded channel's slot has left the server. Must not throw. */
  onMoved?: ((channel: string) => void) | undefined;
  /** Resolves, once, with why the connection ended. */
  readonly closed: Promise<Error>;
  /** Ends the connection at once, with `why` as the cause of every reply that is lost by it. */
  destroy(why?: Error): void;
}

/** A sharded channel belongs to its slot of a cluster, and is told of by that slot's servers alone. */
export type ChannelKind = 'plain' | 'sharded';

/** What a connection is for; it shows in the server's CLIENT LIST. */
export type ConnectionPurpose = 'commands' | 'subscriptions' | 'replication' | 'discovery';

/** Gives up, rejecting with the signal's reason, when the signal aborts before the server is ready. */
export type ConnectRedis = (
  address: RedisAddress,
  purpose: ConnectionPurpose,
  signal: AbortSignal,
) => Promise<RedisConnection>;

/** The server's answer was an error. */
export class RedisReplyError extends Error {
  override readonly name = 'RedisReplyError';
  /** The first word of the reply: `WRONGTYPE`, `NOSCRIPT`, `ERR`. */
  readonly code: string;

  constructor(reply: string) {
    // Old and misspelt commands are answered with their arguments, which may be anybody's data.
    super(reply.replace(/,? with args beginning with:.*$/s, '.'));
    this.code = /^[A-Z][A-Z0-9_]*/.exec(reply)?.[0] ?? 'ERR';
  }
}

/** The connection ended before the reply came. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
  /** Whether the command may have reached the server. */
  readonly sent: boolean;

  constructor(message: string, options: { readonly sent: boolean; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.sent = options.sent;
  }
}

/** Something did not come in its time. */
export class RedisTimeoutError extends Error {
  override readonly name = 'RedisTimeoutError';
}
