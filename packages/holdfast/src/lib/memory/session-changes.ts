import { SessionGoneError, VersionConflictError } from '../errors/errors.ts';
import { type Message, type NewMessage, prepareMessage } from '../model/message.ts';
import {
  parseCredentials,
  type Session,
  type SessionCredentials,
  type SessionInit,
  type SessionPatch,
} from '../model/session.ts';
import { applyPatch, assertIncrement, incremented, parseInit, parsePatch } from '../model/state.ts';
import { assertAtomic } from '../store/assert-atomic.ts';
import type {
  AppendOptions,
  CreateOptions,
  UpdateOptions,
  WriteOptions,
} from '../store/session-store.ts';
import type { MemoryCore } from './memory-core.ts';
import type { SessionRecord } from './session-record.ts';

/** How sessions change outside of turns: each change is checked, made, and remembered under its nonce. */
export class SessionChanges<Metadata extends object, MetadataInput extends object> {
  readonly #core: MemoryCore<Metadata>;

  constructor(core: MemoryCore<Metadata>) {
    this.#core = core;
  }

  create(
    id: string,
    init: SessionInit<MetadataInput>,
    given: SessionCredentials,
    options: CreateOptions,
  ): Session<Metadata> {
    const parsed = parseInit(id, init);
    const credentials = parseCredentials(given);
    const write = writeName('create', options);
    const repeated = this.#core.find(id)?.repeated<Session<Metadata>>(write);
    if (repeated !== undefined) return repeated;
    return this.#wrote(this.#core.create(id, parsed, credentials), write);
  }

  /** Everything but the credentials, of a session that is at this version. */
  replace(
    id: string,
    data: SessionInit<MetadataInput>,
    ifVersion: number,
    options: WriteOptions,
  ): Session<Metadata> {
    const { state, counters } = parseInit(id, data);
    const record = this.#core.require(id);
    const write = writeName('set', options);
    const repeated = record.repeated<Session<Metadata>>(write);
    if (repeated !== undefined) return repeated;
    assertVersion(record, ifVersion);
    this.#core.options.readMetadata(state.metadata);
    this.#core.setState(record, state);
    if (data.counters !== undefined) record.counters = counters;
    this.#core.written(record);
    return this.#wrote(record, write);
  }

  update(
    id: string,
    patch: SessionPatch<MetadataInput>,
    options: UpdateOptions,
  ): Session<Metadata> {
    assertAtomic(options);
    const parsed = parsePatch(patch);
    const record = this.#core.require(id);
    const write = writeName('update', options);
    const repeated = record.repeated<Session<Metadata>>(write);
    if (repeated !== undefined) return repeated;
    assertVersion(record, options.ifVersion);
    const state = applyPatch(record.state, parsed);
    if (state.metadata !== record.state.metadata) this.#core.options.readMetadata(state.metadata);
    this.#core.setState(record, state);
    this.#core.written(record);
    return this.#wrote(record, write);
  }

  increment(id: string, name: string, by: number, options: WriteOptions): number {
    assertIncrement(name, by);
    const record = this.#core.require(id);
    const write = writeName('incrementCounter', options);
    const repeated = record.repeated<number>(write);
    if (repeated !== undefined) return repeated;
    const value = incremented(record.counters, name, by);
    record.counters = new Map(record.counters).set(name, value);
    this.#core.written(record);
    if (write !== undefined) record.writes.add(write, value);
    return value;
  }

  setCredentials(
    id: string,
    credentials: SessionCredentials,
    options: WriteOptions & { readonly ifTokenHash?: string | null | undefined },
  ): Session<Metadata> {
    const parsed = parseCredentials(credentials);
    const record = this.#core.require(id);
    const write = writeName('setCredentials', options);
    const repeated = record.repeated<Session<Metadata>>(write);
    if (repeated !== undefined) return repeated;
    const { ifTokenHash } = options;
    if (ifTokenHash !== undefined && ifTokenHash !== record.credentials.tokenHash) {
      throw new VersionConflictError(`The token of session ${id} was changed meanwhile.`);
    }
    record.credentials = parsed;
    this.#core.written(record);
    return this.#wrote(record, write);
  }

  append(id: string, messages: readonly NewMessage[], options: AppendOptions): readonly Message[] {
    const prepared = messages.map(prepareMessage);
    const record = this.#core.require(id);
    const write = writeName('appendMessages', options);
    const repeated = record.repeated<readonly Message[]>(write);
    if (repeated !== undefined) return repeated;
    if (options.ifOpen === true && record.state.status === 'closed') {
      throw new SessionGoneError(`The session ${id} is closed.`);
    }
    const placed = this.#core.history(record).append(prepared, this.#core.now());
    this.#core.written(record);
    if (write !== undefined) record.writes.add(write, placed);
    return placed;
  }

  /** The session after a write, remembered under the write's name. */
  #wrote(record: SessionRecord<Metadata>, write: string | undefined): Session<Metadata> {
    const session = record.view(this.#core.options.readMetadata);
    if (write !== undefined) record.writes.add(write, session);
    return session;
  }
}

/** A write's name among the recent ones: the same nonce in another operation is another write. */
function writeName(operation: string, { nonce }: WriteOptions): string | undefined {
  return nonce === undefined ? undefined : `${operation}:${nonce}`;
}

function assertVersion<Metadata extends object>(
  record: SessionRecord<Metadata>,
  ifVersion: number | undefined,
): void {
  if (ifVersion === undefined || ifVersion === record.version) return;
  throw new VersionConflictError(
    `The session ${record.id} is at version ${record.version}, not at ${ifVersion}.`,
  );
}
