import type { JsonObject } from '../json/json-value.ts';
import { SessionManager, type SessionManagerOptions } from '../manager/session-manager.ts';
import {
  InMemorySessionStore,
  type InMemorySessionStoreOptions,
} from '../memory/in-memory-session-store.ts';
import { FakeClock } from './fake-clock.ts';
import { Faults, withFaults } from './faults.ts';

export interface TestSessionsOptions<
  Metadata extends object = JsonObject,
  MetadataInput extends object = Metadata,
> extends Omit<InMemorySessionStoreOptions<Metadata, MetadataInput>, 'clock'>,
    Omit<SessionManagerOptions<Metadata, MetadataInput>, 'store' | 'clock'> {
  /** Default: a new one. */
  readonly clock?: FakeClock | undefined;
  /** Default: none planned. */
  readonly faults?: Faults | undefined;
}

/** Sessions in memory for tests: on a clock that the test moves, with failures that it plans. */
export function createTestSessions<
  Metadata extends object = JsonObject,
  MetadataInput extends object = Metadata,
>(
  options: TestSessionsOptions<Metadata, MetadataInput> = {},
): SessionManager<Metadata, MetadataInput> {
  const { clock = new FakeClock(), faults = new Faults(), ...rest } = options;
  const memory = new InMemorySessionStore<Metadata, MetadataInput>({ ...rest, clock });
  const store = withFaults(memory, faults);
  return new SessionManager({ ...rest, store, clock });
}
