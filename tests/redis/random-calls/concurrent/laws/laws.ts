import {
  counted,
  counters,
  liveOutput,
  messages,
  metadata,
  order,
  wholeCommits,
} from './contents.ts';
import { replacements, tokens } from './exchanges.ts';
import { failures } from './failures.ts';
import { fences, holders, leaseEnds } from './leases.ts';
import type { Law, Round } from './round.ts';
import { absences, deletions, ends, expiry, takenNames, versions } from './sessions.ts';
import { attempts, keyedTurns, toldOfTurns } from './turns.ts';

const laws: Readonly<Record<string, Law>> = {
  ...{ failures, fences, holders, leaseEnds },
  ...{ versions, takenNames, deletions, ends, absences, expiry },
  ...{ counters, counted, messages, order, metadata, wholeCommits, liveOutput },
  ...{ attempts, keyedTurns, toldOfTurns, replacements, tokens },
};

/** What a round has against the laws of the contract: none where it keeps them. */
export function breaches(round: Round): readonly string[] {
  return Object.entries(laws).flatMap(([name, law]) =>
    [...law(round)].map((breach) => `${name}: ${breach}`),
  );
}
