import {
  type Codec,
  type CodecOptions,
  createCodec,
  generateKey,
  KeyRing,
  type RecordPlace,
} from 'holdfast/encryption';
import { AesRecords } from '../../../packages/holdfast/src/lib/encryption/aes-records.ts';
import type { Figures } from '../figures.ts';
import { collectYoungGarbage, cpuTimePerOperation } from '../measuring.ts';
import type { Measure, Subject } from '../subject.ts';
import { throughBarePair } from './bare-pair.ts';

export interface RecordsSubjectOptions {
  /** Of a record as JSON text; at least 200. */
  readonly bytes: number;
  /** Whose records take turns. */
  readonly sessions: number;
}

const namespace = 'bench:session:';

type State = ReturnType<typeof stateOf>;

/** States of sessions that are encrypted and decrypted, by codecs and by the bare pair of calls. */
export class RecordsSubject implements Subject {
  readonly #state: State;
  readonly #places: readonly RecordPlace[];
  readonly #warm: Codec;
  readonly #cold: Codec;
  readonly #fernet: Codec;
  /** What the warm codec encrypts with. */
  readonly #envelopes: AesRecords;

  constructor({ bytes, sessions }: RecordsSubjectOptions) {
    this.#state = stateOf(bytes);
    this.#places = Array.from({ length: sessions }, (_, index) => ({
      sessionId: `session-${index}`,
      incarnation: `incarnation-of-session-${index}`,
      kind: 'state',
      position: 7,
    }));
    const ring = KeyRing.parse(generateKey());
    this.#envelopes = new AesRecords(ring, namespace, sessions);
    const codec = (options: Partial<CodecOptions>) =>
      createCodec(ring, { cipher: 'aes-256-gcm', namespace, ...options });
    this.#warm = codec({});
    this.#cold = codec({ subkeyCacheSize: 1 });
    this.#fernet = codec({ cipher: 'fernet' });
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    const places = this.#places;
    const inTurn = Array.from(
      { length: count },
      (_, index) => places[index % places.length] as RecordPlace,
    );
    collectYoungGarbage();
    return cpuTimePerOperation(inTurn, this.#work(measure));
  }

  async stop(): Promise<void> {}

  #work(measure: Measure): (places: readonly RecordPlace[]) => Promise<void> {
    const state = this.#state;
    switch (measure) {
      case 'barePair':
        return async (places) => bareTexts(JSON.stringify(state), places);
      case 'envelope':
        return async (places) => envelopes(this.#envelopes, JSON.stringify(state), places);
      case 'bareRecord':
        return async (places) => bareRecords(state, places);
      case 'record':
        return async (places) => records(this.#warm, state, places);
      case 'coldRecord':
        return async (places) => records(this.#cold, state, places);
      case 'fernetRecord':
        return async (places) => records(this.#fernet, state, places);
      default:
        throw new Error(`Records have no measure ${measure}.`);
    }
  }
}

function stateOf(bytes: number) {
  const state = {
    userId: 'user-123',
    threadId: null,
    status: 'active',
    escalated: false,
    metadata: { plan: 'pro', tags: ['delivery', 'france'], note: '' },
  };
  const note = 'x'.repeat(bytes - JSON.stringify(state).length);
  return { ...state, metadata: { ...state.metadata, note } };
}

function bareTexts(text: string, places: readonly RecordPlace[]): void {
  for (const _ of places) throughBarePair(text);
}

function envelopes(sealed: AesRecords, text: string, places: readonly RecordPlace[]): void {
  for (const place of places) sealed.open(sealed.seal(text, place), place).toString();
}

function bareRecords(state: State, places: readonly RecordPlace[]): void {
  for (const _ of places) JSON.parse(throughBarePair(JSON.stringify(state)));
}

function records(codec: Codec, state: State, places: readonly RecordPlace[]): void {
  for (const place of places) codec.decode(asStored(codec.encode(state, place)), place);
}

/** As it comes back from Redis. */
function asStored(encoded: Buffer | string): Buffer {
  return typeof encoded === 'string' ? Buffer.from(encoded) : encoded;
}
