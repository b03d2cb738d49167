import { randomUUID } from 'node:crypto';
import type { Logger } from '../../../store/emitter.ts';
import type { CoarseTimer } from '../coarse-timer.ts';
import type { Place } from '../place.ts';
import type { RedisAddress } from '../redis-address.ts';
import { type ConnectRedis, type RedisConnection, RedisReplyError } from '../redis-connection.ts';
import { ConnectionKeeper } from './connection-keeper.ts';
import type { LiveConnection } from './live-connection.ts';
import { OutageLog } from './outage-log.ts';
import { Replication } from './replication.ts';
import type { ScriptLoader } from './script-loader.ts';
import { identifyServer } from './server-identity.ts';
import { Subscriptions } from './subscriptions.ts';

/** What all nodes of a link have in common. */
export interface NodeSettings {
  readonly connect: ConnectRedis;
  readonly timer: CoarseTimer;
  readonly scripts: ScriptLoader;
  readonly logger: Logger;
  /** For one attempt to reconnect, handshake and preparation included. */
  readonly reconnectTimeoutMs: number;
  /** Ticks that a reply may take. */
  readonly patience: number;
  readonly heartbeatMs: number;
  readonly timeoutMs: number;
  /** The connection leads to another server than before. */
  readonly onServer: () => void;
}

export interface NodeOptions {
  /** As it is named in messages. */
  readonly address: RedisAddress;
  /** Where it is now: asked for before each connection. */
  readonly locate: (signal: AbortSignal) => Promise<RedisAddress>;
  /** Refuses a server that is a replica. */
  readonly mustBePrimary?: boolean;
  /** Channels belong to slots, and their messages stay with the slot's servers. */
  readonly sharded?: boolean;
  /** A connection for commands ended, or could not be made. */
  readonly onTrouble?: () => void;
  /** A channel's slot is not at this server; `redirect` is its `MOVED`, or what else it says. */
  readonly onMoved?: (channel: string, redirect?: string) => void;
}

/**
 * One server that takes writes, wherever it is at the moment: the connection that all calls to it
 * share, one for subscriptions, and one that waits for its replicas.
 */
export class RedisNode {
  readonly address: RedisAddress;
  readonly commands: ConnectionKeeper;
  readonly subscriptions: Subscriptions;
  readonly replication: Replication;
  readonly #subscriber: ConnectionKeeper;
  readonly #onServer: () => void;
  #server = '';
  /** Where the commands were before. */
  #left = '';
  /** How often they have come to another server. */
  #moves = 0;

  constructor(settings: NodeSettings, options: NodeOptions) {
    const { connect, timer, scripts, logger, heartbeatMs, timeoutMs } = settings;
    const { address, locate, mustBePrimary = false, sharded = false } = options;
    this.address = address;
    this.#onServer = settings.onServer;
    const shared = {
      ...{ locate, connect, timer },
      reconnectTimeoutMs: settings.reconnectTimeoutMs,
      patience: settings.patience,
      outages: new OutageLog(address, logger),
    };
    const assertRole = async (connection: RedisConnection) => {
      if (mustBePrimary) await assertPrimary(connection);
    };
    this.commands = new ConnectionKeeper({
      ...shared,
      purpose: 'commands',
      prepare: async (connection) => {
        const [server] = await Promise.all([
          identifyServer(connection),
          assertRole(connection),
          scripts.load(connection),
        ]);
        // By the time that it takes writes it has another name. At the start it is refused with more words.
        if (server?.isReplica && this.#server !== '') throw readOnly('replica');
        // Where nobody may ask, each connection counts as one to another server.
        this.#setServer(server?.name ?? randomUUID());
        return server?.name;
      },
      onTrouble: options.onTrouble,
    });
    const subscriptions = new Subscriptions({
      ...{ address, timer, heartbeatMs, timeoutMs, logger, sharded },
      onMoved: options.onMoved,
    });
    this.subscriptions = subscriptions;
    let moves = 0;
    this.#subscriber = new ConnectionKeeper({
      ...shared,
      locate: (signal) => {
        moves = this.#moves;
        return locate(signal);
      },
      purpose: 'subscriptions',
      prepare: async (connection) => {
        const [server] = await Promise.all([
          identifyServer(connection),
          assertRole(connection),
          subscriptions.prepare(connection),
        ]);
        // Where nobody may ask, one that was on its way when the commands moved may have come there.
        const isBehind = server === null ? moves !== this.#moves : server.name === this.#left;
        if (isBehind) {
          const why = new Error('The commands have left this server for another one.');
          connection.destroy(why);
          throw why;
        }
        return server?.name;
      },
      onUp: () => subscriptions.up(),
    });
    subscriptions.attach(this.#subscriber);
    const onOther = () => void this.identify();
    this.replication = new Replication({ ...shared, address, assertRole, onOther });
  }

  /** Names the server, as `identifyServer` does. */
  get server(): string {
    return this.#server;
  }

  /** Asks again, on the connection that there is, which server it is. @returns whether it is another */
  async identify(): Promise<boolean> {
    const before = this.#server;
    const asked = await this.commands.current?.track(identifyServer).catch(() => null);
    // A new connection may have found out meanwhile.
    if (this.#server === before && asked) this.#setServer(asked.name);
    return this.#server !== before;
  }

  /** Gives up the connections that lead elsewhere: they are made again. */
  moved({ host, port }: Place, why: Error): void {
    for (const { current } of [this.commands, this.#subscriber, this.replication.keeper]) {
      const isThere = current?.address.host === host && current.address.port === port;
      if (!isThere) current?.connection.destroy(why);
    }
  }

  /** @returns whether replies are due */
  tick(): boolean {
    const isDue = (live: LiveConnection | undefined) => live?.tick() ?? false;
    const commands = isDue(this.commands.current);
    return isDue(this.#subscriber.current) || commands;
  }

  async close(why: Error): Promise<void> {
    this.subscriptions.close();
    await Promise.all(
      [this.commands, this.#subscriber, this.replication.keeper].map((keeper) => keeper.close(why)),
    );
  }

  #setServer(server: string): void {
    const before = this.#server;
    if (before === server) return;
    this.#server = server;
    if (before === '') return;
    this.#left = before;
    this.#moves += 1;
    // One that leads to the one before hears nothing of what is written now.
    const why = new Error('Another server answers at the address by now.');
    for (const { current } of [this.#subscriber, this.replication.keeper]) {
      if (current?.server !== server) current?.connection.destroy(why);
    }
    this.#onServer();
  }
}

/** @throws RedisReplyError as a replica would answer a write */
async function assertPrimary(connection: RedisConnection): Promise<void> {
  const reply = await connection.send(['ROLE']);
  const role = Array.isArray(reply) ? String(reply[0]) : '';
  if (role !== 'master') throw readOnly(role);
}

function readOnly(role: string): RedisReplyError {
  return new RedisReplyError(`READONLY The server is a ${role}.`);
}
