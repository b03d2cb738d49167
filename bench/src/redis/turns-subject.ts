import { trace } from '@opentelemetry/api';
import { SessionManager } from 'holdfast';
import { createCodec, generateKey, KeyRing } from 'holdfast/encryption';
import { RedisSessionStore } from 'holdfast/redis';
import type { RedisConnection } from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import type { Figures } from '../figures.ts';
import { collectYoungGarbage, concurrently, loadOf } from '../measuring.ts';
import { plainTurn, sixtyBytes } from '../plain-turn.ts';
import type { Measure, Subject } from '../subject.ts';
import { type Exchange, ExchangeRecorder } from './exchange.ts';
import { Limit } from './limit.ts';
import { connectTo, MeasuredServer } from './measured-server.ts';
import { createAll, idsOf, sampleSession } from './sample-sessions.ts';

export interface TurnsSubjectOptions {
  readonly sessions: number;
  readonly atOnce: number;
  readonly stateBytes: number;
  /** Messages that each history has at the start, stored two by two as turns do. Default 0. */
  readonly filled?: number;
  /** By AES-256-GCM. Default false. */
  readonly encrypted?: boolean;
}

/** More than any measure appends: nothing gets trimmed. */
const maxMessages = 1_000_000;

/**
 * Sessions that take turns, `atOnce` of them at a time and no session twice. Two instances, each with
 * connections of its own, alternate in the turns that change the state: so each begins with a state
 * that it does not know.
 */
export class TurnsSubject implements Subject {
  readonly server: MeasuredServer;
  readonly #ids: readonly string[];
  readonly #atOnce: number;
  readonly #instances: readonly [SessionManager, SessionManager];
  readonly #raw: RedisConnection;
  readonly #limits = new Map<Measure, Limit>();
  #visits = 0;

  private constructor(
    server: MeasuredServer,
    ids: readonly string[],
    atOnce: number,
    instances: readonly [SessionManager, SessionManager],
    raw: RedisConnection,
  ) {
    this.server = server;
    this.#ids = ids;
    this.#atOnce = atOnce;
    this.#instances = instances;
    this.#raw = raw;
  }

  static async create(options: TurnsSubjectOptions): Promise<TurnsSubject> {
    const { sessions, atOnce, stateBytes, filled = 0, encrypted = false } = options;
    const server = await MeasuredServer.start();
    const { url } = server;
    const codec = encrypted
      ? createCodec(KeyRing.parse(generateKey()), { namespace: 'agent:session:' })
      : undefined;
    const instance = async () =>
      new SessionManager({
        store: await RedisSessionStore.connect({ url, maxMessages, codec, l1: {} }),
      });
    const first = await instance();
    const ids = idsOf(sessions);
    await createAll(first.store, ids, (id) => sampleSession(id, stateBytes));
    await concurrently((sessions * filled) / 2, atOnce, (index) =>
      first.store.appendMessages(ids[index % sessions] ?? '', [
        { role: 'user', content: sixtyBytes },
        { role: 'assistant', content: sixtyBytes },
      ]),
    );
    const raw = await connectTo(url);
    return new TurnsSubject(server, ids, atOnce, [first, await instance()], raw);
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    const [first] = this.#instances;
    switch (measure) {
      case 'turn':
      case 'tracedTurn': {
        const tracer = measure === 'turn' ? undefined : trace.getTracer('bench');
        const sessions = new SessionManager({ store: first.store, tracer });
        // So that it knows what the other instance has changed.
        await Promise.all(this.#ids.map((id) => first.store.get(id)));
        return this.#load(count, (index) => sessions.turn(this.#id(index), plainTurn));
      }
      case 'changingTurn':
        return this.#load(count, () => this.#changingTurn());
      default:
        return this.#load(count, (await this.#limit(measure)).run);
    }
  }

  async stop(): Promise<void> {
    for (const { store } of this.#instances) await store.close();
    this.#raw.destroy();
    await this.server.stop();
  }

  #load(count: number, operation: (index: number) => Promise<unknown>): Promise<Figures> {
    collectYoungGarbage();
    return this.server.during(count, () => loadOf(count, this.#atOnce, operation));
  }

  #id(index: number): string {
    return this.#ids[index % this.#ids.length] ?? '';
  }

  #changingTurn(): Promise<void> {
    const visit = this.#visits++;
    const round = Math.floor(visit / this.#ids.length);
    const instance = this.#instances[round % 2 === 0 ? 0 : 1];
    return changingTurn(instance, this.#id(visit), round);
  }

  async #limit(measure: Measure): Promise<Limit> {
    const known = this.#limits.get(measure);
    if (known !== undefined) return known;
    const limit = await this.#makeLimit(measure);
    this.#limits.set(measure, limit);
    return limit;
  }

  async #makeLimit(measure: Measure): Promise<Limit> {
    switch (measure) {
      case 'limit':
        return Limit.inOnePart(this.#raw, await this.#exchangesOf('plain'));
      case 'limitInParts':
        return Limit.inSameParts(this.#raw, await this.#exchangesOf('plain'));
      case 'changingLimit':
        return Limit.inOnePart(this.#raw, await this.#exchangesOf('changing'));
      case 'changingLimitInParts':
        return Limit.inSameParts(this.#raw, await this.#exchangesOf('changing'));
      default:
        throw new Error(`Sessions that take turns have no measure ${measure}.`);
    }
  }

  /** What two instances move in a turn each of the same session; the last one's. */
  async #exchangesOf(kind: 'plain' | 'changing'): Promise<readonly Exchange[]> {
    const id = this.#id(0);
    const recorders = [new ExchangeRecorder(), new ExchangeRecorder()];
    let exchanges: readonly Exchange[] = [];
    const stores: RedisSessionStore[] = [];
    for (const { connect } of recorders) {
      stores.push(
        await RedisSessionStore.connect({ url: this.server.url, maxMessages, connect, l1: {} }),
      );
    }
    for (const [at, store] of stores.entries()) {
      const instance = new SessionManager({ store });
      if (kind === 'plain') await store.get(id);
      const earlier = recorders[at]?.exchanges.length ?? 0;
      await (kind === 'plain' ? instance.turn(id, plainTurn) : changingTurn(instance, id, at));
      exchanges = recorders[at]?.exchanges.slice(earlier) ?? [];
    }
    for (const store of stores) await store.close();
    if (exchanges.length === 2) return exchanges;
    throw new Error(`A ${kind} turn took ${exchanges.length} script calls and not 2.`);
  }
}

function changingTurn(instance: SessionManager, id: string, round: number): Promise<void> {
  return instance.turn(id, (turn) => {
    plainTurn(turn);
    turn.update({ metadata: { topic: `delivery-${round % 10}` } });
  });
}
