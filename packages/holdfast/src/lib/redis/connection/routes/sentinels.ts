import { ConfigError } from '../../../errors/errors.ts';
import { diagnose } from '../diagnose.ts';
import { diagnoses } from '../diagnoses.ts';
import { type NodeSettings, RedisNode } from '../nodes/redis-node.ts';
import { outside } from '../outside.ts';
import { nameOf, type Place } from '../place.ts';
import type { RedisAddress } from '../redis-address.ts';
import {
  type ConnectRedis,
  type RedisConnection,
  type RedisReply,
  RedisTimeoutError,
} from '../redis-connection.ts';
import { UnreachedServerError } from '../unreached-server-error.ts';
import { attempt } from './attempt.ts';
import type { Routes } from './routes.ts';
import type { Translate } from './topology.ts';

export interface SentinelOptions {
  /** With the sentinels' own password, if they have one. */
  readonly sentinels: readonly RedisAddress[];
  /** The name of the primary at the sentinels. */
  readonly master: string;
  /** How to get into the primary, wherever it is. */
  readonly address: RedisAddress;
  readonly connect: ConnectRedis;
  readonly translate: Translate;
}

/** How long one sentinel may take to answer, in ms. */
const answerMs = 1_000;
/** After the first answer, those of other sentinels are waited for this long, in ms. */
const othersMs = 200;
/** How often the sentinels are asked whether the primary is another one, in ms. */
const watchMs = 1_000;
/** Where a sentinel tells that it is. */
const switches = '+switch-master';

/** Where sentinels say that the primary is, and in which epoch of their votes it became that. */
interface Answer {
  readonly place: Place;
  readonly epoch: number;
}

/**
 * The server that sentinels call the primary (Redis, "Guidelines for Sentinel clients"): asked for
 * before each connection, when one of them tells of a switch, and every second whether it still is. Of several
 * answers the one of the newest epoch counts: a sentinel that is cut off goes on naming the old one.
 */
export class SentinelServer implements Routes {
  readonly isSharded = false;
  readonly nodes: readonly RedisNode[];
  readonly #node: RedisNode;
  readonly #options: SentinelOptions;
  readonly #connections = new Map<string, Promise<RedisConnection>>();
  readonly #closing = new AbortController();
  #watch: NodeJS.Timeout | undefined;

  constructor(settings: NodeSettings, options: SentinelOptions) {
    this.#options = options;
    this.#node = new RedisNode(settings, {
      address: options.address,
      locate: (signal) => this.#locate(signal),
      mustBePrimary: true,
    });
    this.nodes = [this.#node];
  }

  nodeFor(): RedisNode {
    return this.#node;
  }

  redirected(): null {
    return null;
  }

  subscribe(channel: string, listener: (message: Buffer) => void): Promise<() => void> {
    return this.#node.subscriptions.subscribe(channel, listener);
  }

  async open(deadline: number): Promise<void> {
    await this.#node.commands.open(deadline - performance.now());
    this.#watch ??= outside(() => setInterval(() => void this.#look(), watchMs).unref());
  }

  async close(why: Error): Promise<void> {
    clearInterval(this.#watch);
    this.#closing.abort(why);
    await this.#node.close(why);
    for (const connecting of this.#connections.values()) {
      connecting.then((connection) => connection.destroy(why)).catch(() => {});
    }
  }

  async #look(): Promise<void> {
    try {
      const { place } = await this.#ask();
      const why = new Error('The sentinels have made another server the primary.');
      this.#node.moved(this.#options.translate(place), why);
    } catch {
      // No sentinel answers: the connection that there is may still be right.
    }
  }

  async #locate(signal: AbortSignal): Promise<RedisAddress> {
    signal.throwIfAborted();
    const { place } = await this.#ask();
    const { host, port } = this.#options.translate(place);
    return this.#options.address.at(host, port);
  }

  /** @throws what a sentinel failed with, when none answers */
  async #ask(): Promise<Answer> {
    const { sentinels, master } = this.#options;
    const questions = sentinels.map((sentinel) =>
      this.#askOne(sentinel).catch((error: unknown) => {
        throw ofSentinel(sentinel, error);
      }),
    );
    const answers: Answer[] = [];
    const all = Promise.allSettled(
      questions.map((question) => question.then((answer) => answer && answers.push(answer))),
    );
    const results = await Promise.race([
      all,
      Promise.any(questions)
        .catch(() => all)
        .then(() => undefined),
    ]);
    if (results === undefined) await Promise.race([all, pause(othersMs)]);
    answers.sort((one, other) => other.epoch - one.epoch);
    const [newest] = answers;
    if (newest !== undefined) return newest;
    const outcomes = await all;
    if (outcomes.some(({ status }) => status === 'fulfilled')) {
      throw new ConfigError(
        `The sentinels know no primary "${master}": set REDIS_SENTINEL_MASTER to the name in their "sentinel monitor" line.`,
      );
    }
    throw outcomes.find((outcome) => outcome.status === 'rejected')?.reason;
  }

  /** @returns null where the sentinel does not know the primary */
  async #askOne(sentinel: RedisAddress): Promise<Answer | null> {
    const connection = await this.#connection(sentinel);
    const late = new RedisTimeoutError(
      `The sentinel at ${sentinel.display} did not answer in time.`,
    );
    const timer = setTimeout(() => connection.destroy(late), answerMs);
    try {
      return parseMaster(await connection.send(['SENTINEL', 'MASTER', this.#options.master]));
    } catch (error) {
      const failure = connection.explain(error);
      if (/No such master/i.test(failure.message)) return null;
      throw failure;
    } finally {
      clearTimeout(timer);
    }
  }

  #connection(sentinel: RedisAddress): Promise<RedisConnection> {
    const name = sentinel.display;
    const known = this.#connections.get(name);
    if (known !== undefined) return known;
    const connecting = attempt(answerMs, this.#closing.signal, (signal) =>
      this.#options.connect(sentinel, 'discovery', signal),
    );
    this.#connections.set(name, connecting);
    const forget = () => {
      if (this.#connections.get(name) === connecting) this.#connections.delete(name);
    };
    connecting.then((connection) => connection.closed.then(forget), forget);
    connecting.then((connection) => this.#listen(connection)).catch(() => {});
    return connecting;
  }

  /** What an old primary that lives takes meanwhile is lost. Who may not listen learns it by asking. */
  async #listen(connection: RedisConnection): Promise<void> {
    connection.onMessage = () => void this.#look();
    await connection.subscribe(switches);
  }
}

/** The same with the settings of sentinels, where others would be looked at. */
function ofSentinel(sentinel: RedisAddress, error: unknown): unknown {
  const server = nameOf(sentinel);
  switch (diagnose(error)) {
    case diagnoses.ECONNREFUSED:
    case diagnoses.ENOTFOUND:
      return new UnreachedServerError(server, 'REDIS_SENTINEL_NODES', error);
    case diagnoses.NOAUTH:
    case diagnoses.WRONGPASS:
      return new ConfigError(
        `The sentinel at ${server} asks for another password: set REDIS_SENTINEL_PASSWORD to the one of the sentinels.`,
        { cause: error },
      );
    default:
      return error;
  }
}

function parseMaster(reply: RedisReply): Answer | null {
  if (!Array.isArray(reply)) return null;
  const fields = new Map<string, string>();
  for (let at = 0; at + 1 < reply.length; at += 2) {
    fields.set(String(reply[at]), String(reply[at + 1]));
  }
  const host = fields.get('ip');
  const port = Number(fields.get('port'));
  if (host === undefined || !(port > 0)) return null;
  return { place: { host, port }, epoch: Number(fields.get('config-epoch') ?? 0) };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
