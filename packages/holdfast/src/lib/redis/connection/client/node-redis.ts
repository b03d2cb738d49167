import { isIP } from 'node:net';
import { ConfigError } from '../../../errors/errors.ts';
import type { RedisAddress } from '../redis-address.ts';
import {
  type ChannelKind,
  ConnectionLostError,
  type ConnectionPurpose,
  type RedisArgument,
  type RedisConnection,
  type RedisReply,
  RedisReplyError,
} from '../redis-connection.ts';
import { ShardedChannels } from './sharded-channels.ts';

type NodeRedis = typeof import('redis');

async function loadNodeRedis(): Promise<NodeRedis> {
  try {
    return await import('redis');
  } catch (cause) {
    throw new ConfigError('The redis package cannot be loaded: npm install redis@6.', { cause });
  }
}

/** The options of one client; `signal` aborts its connecting. */
function optionsFor(
  { RESP_TYPES }: NodeRedis,
  address: RedisAddress,
  purpose: ConnectionPurpose,
  signal: AbortSignal,
) {
  const { host, port, database, username, password, tls } = address;
  const plain = {
    ...{ host, port, signal, reconnectStrategy: false as const },
    // The signal is the deadline, of the handshake too, which this one does not cover.
    connectTimeout: 0,
  };
  const servername = tls?.servername ?? (isIP(host) === 0 ? host : undefined);
  return {
    socket: tls
      ? {
          ...plain,
          ...tls,
          ...(servername === undefined ? {} : { servername }),
          tls: true as const,
        }
      : plain,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    database,
    name: `holdfast-${purpose}`,
    RESP: 3 as const,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled' as const,
    commandOptions: {
      // Any other value makes an AbortSignal for each command.
      timeout: 0,
      typeMapping: {
        [RESP_TYPES.BLOB_STRING]: Buffer,
        [RESP_TYPES.SIMPLE_STRING]: Buffer,
        [RESP_TYPES.VERBATIM_STRING]: Buffer,
        [RESP_TYPES.MAP]: Array,
      },
    },
  };
}

/** Never connected. */
const templates = new WeakMap<NodeRedis, ReturnType<NodeRedis['createClient']>>();

/**
 * A copy of one client: for each new server `createClient` makes a class of all commands, which takes tens
 * of milliseconds, and those who try to reach servers that are away would do little else.
 */
function createClient(
  library: NodeRedis,
  address: RedisAddress,
  purpose: ConnectionPurpose,
  signal: AbortSignal,
) {
  let template = templates.get(library);
  if (template === undefined) {
    template = library.createClient();
    templates.set(library, template);
  }
  return template.duplicate(optionsFor(library, address, purpose, signal));
}

type Client = ReturnType<typeof createClient>;

class NodeRedisConnection implements RedisConnection {
  onMessage: ((channel: string, message: Buffer) => void) | undefined;
  onMoved: ((channel: string) => void) | undefined;
  readonly closed: Promise<Error>;
  readonly #library: NodeRedis;
  readonly #client: Client;
  readonly #resolveClosed: (why: Error) => void;
  readonly #sharded: ShardedChannels;
  #why: Error | undefined;
  readonly #listener = (message: Buffer, channel: Buffer): void => {
    this.onMessage?.(channel.toString(), message);
  };

  constructor(library: NodeRedis, client: Client) {
    let resolveClosed: (why: Error) => void = () => {};
    this.closed = new Promise((resolve) => {
      resolveClosed = resolve;
    });
    this.#library = library;
    this.#client = client;
    this.#resolveClosed = resolveClosed;
    // What cannot be decoded comes as an 'error' too: replies after it would be another call's.
    client.on('error', (error: Error) => this.#end(error));
    this.#sharded = new ShardedChannels(
      () => this.#client.sendCommand<RedisReply>(['CLIENT', 'INFO']),
      (why) => this.#end(why),
    );
    client.on('sharded-channel-moved', (channel: string) => {
      this.#sharded.delete(channel);
      this.onMoved?.(channel);
    });
  }

  send(args: readonly RedisArgument[]): Promise<RedisReply> {
    const send = () => this.#client.sendCommand<RedisReply>(args);
    return this.#sharded.size === 0 ? send() : this.#sharded.beside(send);
  }

  async subscribe(channel: string, kind: ChannelKind = 'plain'): Promise<void> {
    if (kind === 'plain') {
      this.#assertOpen();
      await this.#client.subscribe(channel, this.#listener, true);
    } else {
      await this.#sharded.beside(async () => {
        this.#assertOpen();
        await this.#client.sSubscribe(channel, this.#listener, true);
        this.#sharded.add(channel);
      });
    }
  }

  async unsubscribe(channel: string, kind: ChannelKind = 'plain'): Promise<void> {
    if (kind === 'plain') {
      this.#assertOpen();
      await this.#client.unsubscribe(channel, this.#listener, true);
    } else {
      await this.#sharded.beside(async () => {
        this.#assertOpen();
        await this.#client.sUnsubscribe(channel, this.#listener, true);
        this.#sharded.delete(channel);
      });
    }
  }

  explain(error: unknown): RedisReplyError | ConnectionLostError {
    if (error instanceof RedisReplyError || error instanceof ConnectionLostError) return error;
    const { ErrorReply, ClientClosedError, ClientOfflineError } = this.#library;
    if (error instanceof ErrorReply) return new RedisReplyError(error.message);
    const sent = !(error instanceof ClientClosedError || error instanceof ClientOfflineError);
    const cause = this.#why ?? error;
    return new ConnectionLostError('The connection to Redis was lost.', { sent, cause });
  }

  destroy(why = new Error('The connection was closed here.')): void {
    this.#end(why);
  }

  /** Why it ended; undefined while it is open. The client itself only says that it was ended. */
  get endedBy(): Error | undefined {
    return this.#why;
  }

  /** Unlike other commands, these would wait for ever on a closed client. */
  #assertOpen(): void {
    if (this.#why === undefined) return;
    const message = 'The connection to Redis is closed.';
    throw new ConnectionLostError(message, { sent: false, cause: this.#why });
  }

  #end(why: Error): void {
    // Later ones are consequences of the first.
    this.#why ??= why;
    this.#resolveClosed(this.#why);
    this.#client.destroy();
  }
}

/** The connection of the `redis` package, node-redis 6. */
export async function connectNodeRedis(
  address: RedisAddress,
  purpose: ConnectionPurpose,
  signal: AbortSignal,
): Promise<RedisConnection> {
  const library = await loadNodeRedis();
  signal.throwIfAborted();
  // Not the caller's own: after the handshake its signal no longer means this connection.
  const connecting = new AbortController();
  const client = createClient(library, address, purpose, connecting.signal);
  const connection = new NodeRedisConnection(library, client);
  const giveUp = () => {
    connecting.abort(signal.reason);
    connection.destroy();
  };
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    await client.connect();
    return connection;
  } catch (error) {
    const why = connection.endedBy ?? error;
    connection.destroy();
    if (signal.aborted) throw signal.reason;
    if (error instanceof library.ErrorReply) throw new RedisReplyError(error.message);
    throw why;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
