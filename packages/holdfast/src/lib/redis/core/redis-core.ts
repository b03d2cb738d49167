import { ClearIdWarning } from '../../codec/clear-id-warning.ts';
import type { Codec } from '../../codec/codec.ts';
import { randomId } from '../../model/ids.ts';
import { Emitter } from '../../store/emitter.ts';
import type { StoreEventName, StoreEvents } from '../../store/store-events.ts';
import type { ResolvedStoreOptions } from '../../store/store-options.ts';
import { TurnFigures } from '../../store/turn-figures.ts';
import type { RedisLink } from '../connection/link/redis-link.ts';
import type { L1Options } from '../l1/l1-cache.ts';
import type { Keys } from '../layout/keys.ts';
import { Records } from '../layout/records.ts';
import { Knowledge } from './knowledge.ts';
import { type Durability, Replicas } from './replicas.ts';
import { ServerClock } from './server-clock.ts';
import { SessionCalls } from './session-calls.ts';
import { StoredSessions } from './stored-sessions.ts';

export interface CoreParts {
  readonly link: RedisLink;
  readonly keys: Keys;
  readonly codec: Codec;
  readonly l1: L1Options | null;
  readonly durability: Durability;
}

/** What all parts of the driver share. */
export class RedisCore<Metadata extends object> {
  readonly options: ResolvedStoreOptions<Metadata>;
  readonly link: RedisLink;
  readonly keys: Keys;
  readonly codec: Codec;
  readonly records: Records;
  readonly clock: ServerClock;
  readonly known: Knowledge<Metadata>;
  readonly calls: SessionCalls;
  readonly replicas: Replicas;
  readonly stored: StoredSessions<Metadata>;
  readonly events: Emitter<StoreEvents>;
  readonly turnFigures: TurnFigures;
  /** `null` where users' names are no secret anyway. */
  readonly clearIds: ClearIdWarning | null;
  /** Names this instance: where it is told of leases. */
  readonly inbox = randomId();

  constructor(
    options: ResolvedStoreOptions<Metadata>,
    { link, keys, codec, l1, durability }: CoreParts,
  ) {
    const { logger, outcomeTtlMs, readMetadata } = options;
    this.options = options;
    this.link = link;
    this.keys = keys;
    this.codec = codec;
    this.records = new Records(codec);
    this.clock = new ServerClock(link);
    this.events = new Emitter(logger);
    this.turnFigures = new TurnFigures(options.clock);
    this.clearIds = codec.authenticates ? new ClearIdWarning(logger) : null;
    const { events, records } = this;
    const known = new Knowledge(options, {
      ...{ link, keys, l1, events },
      isGenuine: codec.authenticates,
    });
    const keysOf = (id: string) => known.of(id).keys;
    this.known = known;
    this.calls = new SessionCalls({ link, keys, keysOf, outcomeTtlMs });
    this.replicas = new Replicas({ link, keys, keysOf, durability });
    this.stored = new StoredSessions({ link, known, records, readMetadata });
  }

  tell(
    name: Exclude<StoreEventName, 'status'>,
    session: { readonly sessionId: string; readonly userId: string | null },
  ): void {
    this.events.emit(name, session);
  }

  /** The user's name in indexes, for new entries. */
  userName(userId: string | null): string | null {
    return userId === null ? null : this.codec.userNames(userId)[0];
  }
}
