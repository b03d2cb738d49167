import type { Figures } from './figures.ts';

/** What can be measured; each kind of subject has some of them. */
export type Measure =
  | 'mapGet'
  | 'get'
  /** A read of what is kept: from a bare LRU, and a GET over the network. */
  | 'lruGet'
  | 'roundTrip'
  /** 95 reads and 5 turns of each 100. */
  | 'visits'
  /** The same with pauses: each process reads a hundred times a second. */
  | 'quietVisits'
  /** From the asking to the lease, where the holder has died; to the error, where Redis hangs. */
  | 'takeover'
  | 'untilError'
  /** To the error of a process that begins, where Redis hangs. */
  | 'untilNoStart'
  /** A queue of turns for one session. */
  | 'queueing'
  /** From a primary's death, or from when it hangs, to the first turn that succeeds. */
  | 'killed'
  | 'stopped'
  | 'create'
  | 'cleanup'
  /** A request's token checked; also its client, whose User-Agent was seen before or is new. */
  | 'token'
  | 'tokenAndSeenClient'
  | 'tokenAndNewClient'
  /** A plain turn: two messages of 60 bytes and a count. */
  | 'turn'
  /** The same with a tracer of OpenTelemetry's API, without an SDK. */
  | 'tracedTurn'
  /** A plain turn that also changes the state, where another instance changed it before. */
  | 'changingTurn'
  /** Two scripts that do nothing, with as many bytes as the turn's, there and back. */
  | 'limit'
  | 'changingLimit'
  /** The same with the turn's own arguments, and replies of as many parts. */
  | 'limitInParts'
  | 'changingLimitInParts'
  /** Turns of one session, one after the other by one process. */
  | 'inSequence'
  /** Turns of one session that many want at the same time. */
  | 'contended'
  /** Whether those who wait for a session get it in the order in which they asked. */
  | 'order'
  /** Encryption and decryption of a text by `node:crypto` alone. */
  | 'barePair'
  /** The same of a record, which becomes text and a value again. */
  | 'envelope'
  | 'bareRecord'
  /** A record through a codec: with the session's key at hand, without, and as a Fernet token. */
  | 'record'
  | 'coldRecord'
  | 'fernetRecord'
  | 'ask'
  | 'await'
  | 'countActive'
  | 'getStats'
  | 'stored'
  | 'storedKeyed'
  | 'data'
  | 'dataKeyed'
  /** Customers' questions over HTTP, answered as streams; and as many bytes that only come back. */
  | 'answers'
  | 'firstByte'
  | 'echoes'
  | 'echoFirstByte'
  /** The same in turns with the other: both servers rest, and what they need goes cold, as long. */
  | 'firstByteAfterEcho'
  | 'echoFirstByteAfterAnswer'
  /** The bytes of an answer as a stream, and the same after a turn that stores what an answer does. */
  | 'streams'
  | 'turnStreams';

/** Something in a certain state, of which measures are taken. */
export interface Subject {
  measure(measure: Measure, count: number): Promise<Figures>;
  stop(): Promise<void>;
}

/** What one of its kind is made with. */
export type OptionsOf<Kind extends string, Own> = { readonly kind: Kind } & Own;

/** Makes a subject, in this process or in one of its own. */
export type Begin<Options> = (options: Options) => Promise<Subject>;
