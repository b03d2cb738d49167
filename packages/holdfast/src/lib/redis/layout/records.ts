import type { Codec, RecordPlace } from '../../codec/codec.ts';
import { decodeRecord } from '../../codec/decode-record.ts';
import { DecryptionError } from '../../errors/errors.ts';
import type { JsonObject, JsonValue } from '../../json/json-value.ts';
import {
  type Message,
  type MessageRole,
  type PreparedMessage,
  placeMessage,
} from '../../model/message.ts';
import type { SessionCredentials, SessionState } from '../../model/session.ts';
import type { PreparedOutput, TurnEvent } from '../../model/turn-event.ts';
import type { EffectNames } from '../../store/turn-store.ts';
import { none } from './header.ts';

/** Messages, and live events, are stored in pieces of at most so many. */
const pieceLength = 64;
const pieceBytes = 64 * 1024;

/**
 * How far the clear time of a session's creation may be from the one inside its state, in ms: that was
 * sealed before the server said when it is (`create.lua`).
 */
const creationToleranceMs = 2_000;

/** Clear fields of a session that its state vouches for. */
export interface Lifetime {
  readonly createdAt: number;
  readonly absoluteExpiresAt: number;
}

/** What is encoded of a session: from values to what Redis keeps, and back. */
export class Records {
  readonly #codec: Codec;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  state(
    state: SessionState,
    at: Omit<RecordPlace, 'kind'>,
    { createdAt, absoluteExpiresAt }: Lifetime,
  ): Buffer | string {
    const value = state as unknown as JsonObject;
    return this.#codec.encode(
      this.#codec.authenticates ? { ...value, lifetime: [createdAt, absoluteExpiresAt] } : value,
      { ...at, kind: 'state' },
    );
  }

  /** @throws DecryptionError, also when the session's clear times are not those inside */
  readState(stored: Buffer, at: Omit<RecordPlace, 'kind'>, clear: Lifetime | null): SessionState {
    const value = this.#object(stored, { ...at, kind: 'state' });
    if (value.lifetime === undefined) return value as unknown as SessionState;
    const { lifetime, ...state } = value;
    if (clear !== null) assertLifetime(at.sessionId, lifetime, clear);
    return Object.freeze(state) as unknown as SessionState;
  }

  /** With the token's hash, which the header has too, where the codec makes that worth anything. */
  credentials(
    { authenticatedAt, clientBinding, tokenHash }: SessionCredentials,
    at: Omit<RecordPlace, 'kind'>,
  ): Buffer | string {
    const values = [authenticatedAt, clientBinding];
    return this.#codec.encode(this.#codec.authenticates ? [...values, tokenHash] : values, {
      ...at,
      kind: 'credentials',
    });
  }

  readCredentials(
    stored: Buffer,
    tokenHash: string | null,
    at: Omit<RecordPlace, 'kind'>,
  ): SessionCredentials {
    const [authenticatedAt = null, clientBinding = null, sealedHash] = this.#list(stored, {
      ...at,
      kind: 'credentials',
    }) as unknown as [number | null, JsonValue, (string | null)?];
    if (sealedHash !== undefined && sealedHash !== tokenHash) {
      throw new DecryptionError(
        `The token of session ${at.sessionId} is not the one that it was stored with: somebody has changed it in Redis.`,
        { isDamaged: true },
      );
    }
    return Object.freeze({ tokenHash, authenticatedAt, clientBinding });
  }

  /** As `n` and then `n` pairs of a count and a piece. */
  messages(
    messages: readonly PreparedMessage[],
    firstSeq: number,
    at: Pick<RecordPlace, 'sessionId' | 'incarnation'>,
  ): (string | Buffer)[] {
    let seq = firstSeq;
    const pieces = inPieces(messages, ({ content }) =>
      typeof content === 'string' ? content.length : JSON.stringify(content).length,
    ).flatMap((piece) => {
      const text = this.#codec.encode(
        piece.map(({ id, role, content }) => [id, role, content]),
        { ...at, kind: 'messages', position: seq },
      );
      seq += piece.length;
      return [String(piece.length), text];
    });
    return [String(pieces.length / 2), ...pieces];
  }

  /** The messages of a stored piece. */
  readMessages(
    piece: Buffer,
    at: Pick<RecordPlace, 'sessionId' | 'incarnation'>,
  ): readonly Message[] {
    const { words, body } = split(piece);
    const [seq = 0, , createdAt = 0] = words.map(Number);
    const rows = this.#list(body, {
      ...at,
      kind: 'messages',
      position: seq,
    }) as unknown as readonly [string, MessageRole, JsonValue][];
    return rows.map(([id, role, content], index) =>
      placeMessage({ id, role, content } as PreparedMessage, seq + index, createdAt),
    );
  }

  outcome(outcome: JsonValue, at: Omit<RecordPlace, 'kind'>): Buffer | string {
    return this.#codec.encode(outcome, { ...at, kind: 'outcome' });
  }

  readOutcome(stored: Buffer, at: Omit<RecordPlace, 'kind'>): JsonValue {
    return this.#decode(stored, { ...at, kind: 'outcome' });
  }

  /** Names of effects as one word, or "-" when there are none. */
  effects(names: EffectNames, at: Omit<RecordPlace, 'kind'>): string {
    if (names.length === 0) return none;
    const encoded = this.#codec.encode(names, { ...at, kind: 'effects' });
    return typeof encoded === 'string' ? names.join(',') : encoded.toString('base64url');
  }

  /** The names in words that were joined by commas. @throws DecryptionError */
  readEffects(stored: string, at: Omit<RecordPlace, 'kind'>): EffectNames {
    if (stored === none) return noEffects;
    const place = { ...at, kind: 'effects' } as const;
    const lists = stored
      .split(',')
      .map((word) => this.#list(effectBytes(word), place) as readonly string[]);
    return Object.freeze(lists.flat());
  }

  /** Whether a word of them would be stored otherwise today. */
  areEffectsStale(stored: string, at: Omit<RecordPlace, 'kind'>): boolean {
    if (stored === none) return false;
    const place = { ...at, kind: 'effects' } as const;
    return stored.split(',').some((word) => this.#codec.isStale(effectBytes(word), place));
  }

  /** As `n` and then `n` pairs of a count and a piece. */
  output(output: readonly PreparedOutput[], at: Omit<RecordPlace, 'kind'>): (string | Buffer)[] {
    const pieces = inPieces(output, (event) => JSON.stringify(event).length).flatMap((piece) => [
      String(piece.length),
      this.#codec.encode(piece, { ...at, kind: 'output' }),
    ]);
    return [String(pieces.length / 2), ...pieces];
  }

  /** The events of a stored piece, from `first` on. */
  readOutput(
    piece: Buffer,
    at: Pick<RecordPlace, 'sessionId' | 'incarnation'>,
  ): readonly TurnEvent[] {
    const { words, body } = split(piece);
    const [first = '', , turnId = '', created = '', code = ''] = words;
    const createdAt = Number(created);
    const events =
      code === '-'
        ? (this.#list(body, {
            ...at,
            kind: 'output',
            position: turnId,
          }) as unknown as PreparedOutput[])
        : [{ type: 'turn.failed', code } as unknown as PreparedOutput];
    return events.map((event, index) =>
      Object.freeze({ ...event, seq: Number(first) + index, turnId, createdAt }),
    );
  }

  /** Whether the value would be stored with another key, cipher or form today. */
  isStale(stored: Buffer, place: RecordPlace): boolean {
    return this.#codec.isStale(stored, place);
  }

  /** The same value as it would be stored today. @throws DecryptionError */
  renew(stored: Buffer, place: RecordPlace): Buffer | string {
    return this.#codec.encode(this.#decode(stored, place), place);
  }

  #object(stored: Buffer, place: RecordPlace): JsonObject {
    const value = this.#decode(stored, place);
    if (typeof value === 'object' && value !== null && !isList(value)) return value;
    throw misshapen(place);
  }

  #list(stored: Buffer, place: RecordPlace): readonly JsonValue[] {
    const value = this.#decode(stored, place);
    if (isList(value)) return value;
    throw misshapen(place);
  }

  #decode(stored: Buffer, place: RecordPlace): JsonValue {
    return decodeRecord(this.#codec, stored, place);
  }
}

/** As `Array.isArray`, which says nothing of readonly lists. */
function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function misshapen({ kind, sessionId }: RecordPlace): DecryptionError {
  return new DecryptionError(
    `The stored ${kind} of session ${sessionId} has not the form that Holdfast writes.`,
    { isDamaged: true },
  );
}

function assertLifetime(id: string, lifetime: JsonValue, clear: Lifetime): void {
  const [createdAt = 0, absoluteExpiresAt = 0] = lifetime as readonly number[];
  const moved = clear.createdAt - createdAt;
  const extended = clear.absoluteExpiresAt - absoluteExpiresAt;
  if (moved === extended && Math.abs(moved) <= creationToleranceMs) return;
  throw new DecryptionError(
    `The times of session ${id} are not those that it was stored with: somebody has changed them in Redis.`,
    { isDamaged: true },
  );
}

/** The line in front of a piece, in words, and what is behind it. */
function split(piece: Buffer): { words: string[]; body: Buffer } {
  const end = piece.indexOf(10);
  return { words: piece.toString('latin1', 0, end).split(' '), body: piece.subarray(end + 1) };
}

/** A word of stored effects: a name that no codec hides has a colon, which base64url has not. */
function effectBytes(word: string): Buffer {
  return word.includes(':') ? Buffer.from(JSON.stringify([word])) : Buffer.from(word, 'base64url');
}

const noEffects: EffectNames = Object.freeze([]);

function inPieces<Item>(items: readonly Item[], sizeOf: (item: Item) => number): Item[][] {
  if (items.length === 1) return [[...items]];
  const pieces: Item[][] = [];
  let room = 0;
  for (const item of items) {
    const size = sizeOf(item);
    const last = pieces.at(-1);
    if (last === undefined || last.length >= pieceLength || size > room) {
      pieces.push([item]);
      room = pieceBytes - size;
    } else {
      last.push(item);
      room -= size;
    }
  }
  return pieces;
}
