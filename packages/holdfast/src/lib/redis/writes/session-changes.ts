import { assertId, randomId } from '../../model/ids.ts';
import { type Message, type NewMessage, prepareMessage } from '../../model/message.ts';
import {
  parseCredentials,
  type Session,
  type SessionCredentials,
  type SessionInit,
  type SessionPatch,
  type SessionState,
} from '../../model/session.ts';
import { applyPatch, assertIncrement, parseInit, parsePatch } from '../../model/state.ts';
import { assertAtomic } from '../../store/assert-atomic.ts';
import type { AppendOptions, UpdateOptions, WriteOptions } from '../../store/session-store.ts';
import { int } from '../connection/reply.ts';
import type { RedisCore } from '../core/redis-core.ts';
import { repeatable } from '../core/refusals.ts';
import { scripts } from '../scripts/scripts.ts';
import { named, type WriteOrder } from './write-order.ts';
import type { Writes } from './writes.ts';

const touchKeys = 9;

/** What may be changed of a session outside of turns: each change is checked, and made an order of. */
export class SessionChanges<Metadata extends object, MetadataInput extends object> {
  readonly #core: RedisCore<Metadata>;
  readonly #writes: Writes<Metadata>;

  constructor(core: RedisCore<Metadata>, writes: Writes<Metadata>) {
    this.#core = core;
    this.#writes = writes;
  }

  /** Everything but the credentials, of a session that is at this version. */
  async replace(
    id: string,
    data: SessionInit<MetadataInput>,
    ifVersion: number,
    options: WriteOptions,
  ): Promise<Session<Metadata>> {
    const { state, counters } = parseInit(id, data);
    this.#core.options.readMetadata(state.metadata);
    return this.#session(id, {
      operation: 'set',
      ...named(options),
      ifVersion,
      state: () => state,
      counters: data.counters === undefined ? undefined : counters,
    });
  }

  async update(
    id: string,
    patch: SessionPatch<MetadataInput>,
    options: UpdateOptions,
  ): Promise<Session<Metadata>> {
    assertAtomic(options);
    const parsed = parsePatch(patch);
    return this.#session(id, {
      operation: 'update',
      ...named(options),
      ifVersion: options.ifVersion,
      state: (state: SessionState) => applyPatch(state, parsed),
    });
  }

  async increment(id: string, name: string, by: number, options: WriteOptions): Promise<number> {
    assertIncrement(name, by);
    const written = await this.#writes.write(id, {
      operation: 'increment',
      ...named(options),
      increments: new Map([[name, by]]),
    });
    return written.after.counters.get(name) ?? 0;
  }

  /** Whether there was one. */
  async touch(id: string): Promise<boolean> {
    assertId(id, 'A session id');
    const { calls, known, options } = this.#core;
    const args = [...calls.common(id), String(options.idleTimeoutMs)];
    const { reply } = await repeatable(calls.run(scripts.touch, id, touchKeys, args, randomId()));
    known.l1?.drop(id);
    return int(reply[0]) === 1;
  }

  async setCredentials(
    id: string,
    credentials: SessionCredentials,
    options: WriteOptions & { readonly ifTokenHash?: string | null | undefined },
  ): Promise<Session<Metadata>> {
    return this.#session(id, {
      operation: 'token',
      ...named(options),
      credentials: parseCredentials(credentials),
      ifTokenHash: options.ifTokenHash,
    });
  }

  async append(
    id: string,
    messages: readonly NewMessage[],
    options: AppendOptions,
  ): Promise<readonly Message[]> {
    const written = await this.#writes.write(id, {
      operation: 'append',
      ...named(options),
      messages: messages.map(prepareMessage),
      ifOpen: options.ifOpen,
    });
    return written.messages;
  }

  /** The session after a write of its state or credentials. */
  async #session(id: string, order: WriteOrder): Promise<Session<Metadata>> {
    const { after } = await this.#writes.write(id, order);
    const { snapshot } = after;
    if (snapshot === null) throw new TypeError('A write of the state left none.');
    return this.#core.stored.view(id, { ...after, snapshot });
  }
}
