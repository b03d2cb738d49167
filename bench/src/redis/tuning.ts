import type { Experiment, Row } from '../experiment.ts';
import type { Quantity } from '../figures.ts';
import type { SubjectOptions } from '../local-subject.ts';
import type { Measure } from '../subject.ts';
import { stateBytes } from './sample-sessions.ts';
import type { RedisSizes } from './sizes.ts';

/** What the settings of `docs/operations.md` cost and gain: nothing of it is promised. */
export function tuning(sizes: RedisSizes): readonly Experiment[] {
  return [
    ...[l1Size(sizes), l1Staleness(sizes), l1Ttl(sizes), concurrency(sizes)],
    ...[timeouts(sizes), starts(sizes), leases(sizes), waits(sizes)],
  ];
}

const number = (value: number) => value.toLocaleString('en-US');
const list = (values: readonly number[]) => values.map(number).join(' → ');

/** One subject for each value of a setting, measured in the same way. */
function compared(
  name: string,
  values: readonly number[],
  subjectOf: (value: number) => SubjectOptions,
  [measure, count]: readonly [Measure, number],
  rows: readonly (readonly [title: string, of: Quantity])[],
): Experiment {
  const figures = values.map(String);
  return {
    name: `redis/${name}`,
    subjects: Object.fromEntries(values.map((value) => [String(value), subjectOf(value)])),
    blocks: [figures.map((subject) => ({ name: subject, subject, measure, count }))],
    rows: rows.map(([title, of]): Row => ({ title, of, figures })),
  };
}

function l1Size({ traffic: { sessions, processes, visits } }: RedisSizes): Experiment {
  const values = [1 / 20, 1 / 4, 1 / 2, 1].map((part) => Math.ceil(sessions * part));
  const title = `Busy: an L1 of ${list(values)} for ${number(sessions)} sessions`;
  return compared(
    'tuning-l1-size',
    values,
    (size) => ({ kind: 'traffic', sessions, processes, stateBytes, l1: { size } }),
    ['visits', visits],
    [
      [`${title}: reads without a round trip`, 'hits'],
      ['The same: bytes from Redis', 'bytes'],
    ],
  );
}

function l1Staleness({ traffic }: RedisSizes): Experiment {
  const { sessions, processes, quietVisits } = traffic;
  const values = [250, 1_000, 5_000];
  const title = `Quiet, ${processes} times 100 visits a second: SESSION_L1_MAX_STALENESS_MS=${list(values)}`;
  return compared(
    'tuning-l1-staleness',
    values,
    (stalenessMs) => ({
      ...{ kind: 'traffic', sessions, processes, stateBytes },
      l1: { size: sessions, stalenessMs },
    }),
    ['quietVisits', quietVisits],
    [
      [`${title}: reads without a round trip`, 'hits'],
      ['The same: bytes from Redis', 'bytes'],
    ],
  );
}

function l1Ttl({ traffic }: RedisSizes): Experiment {
  const { sessions, processes, quietVisits } = traffic;
  const values = [1, 10, 60];
  const title = `Quiet, readers that may be 5 s behind: SESSION_L1_CACHE_TTL_SECONDS=${list(values)}`;
  return compared(
    'tuning-l1-ttl',
    values,
    (seconds) => ({
      ...{ kind: 'traffic', sessions, processes, stateBytes },
      l1: { size: sessions, stalenessMs: 5_000, ttlMs: seconds * 1000 },
    }),
    ['quietVisits', quietVisits],
    [
      [`${title}: reads without a round trip`, 'hits'],
      ['The same: bytes from Redis', 'bytes'],
    ],
  );
}

function concurrency({ sessions, turns }: RedisSizes): Experiment {
  const values = [1, 10, 50, 200].filter((atOnce) => atOnce <= sessions);
  const title = `Plain turns over one connection, ${list(values)} at once`;
  return compared(
    'tuning-connection',
    values,
    (atOnce) => ({ kind: 'turns', sessions, atOnce, stateBytes }),
    ['turn', turns],
    [
      [title, 'rate'],
      ['The same: 99 of 100 are done within', 'p99'],
    ],
  );
}

function leases({ trouble: { leasesMs: values } }: RedisSizes): Experiment {
  return compared(
    'tuning-lease',
    values,
    (leaseMs) => ({ kind: 'trouble', leaseMs, timeoutMs: 5_000 }),
    ['takeover', 2],
    [
      [
        `Leases of ${list(values)} ms: their holder dies, and the next one has the session after`,
        'time',
      ],
    ],
  );
}

function timeouts({ trouble: { timeoutsMs: values } }: RedisSizes): Experiment {
  return compared(
    'tuning-timeout',
    values,
    (timeoutMs) => ({ kind: 'trouble', leaseMs: 30_000, timeoutMs }),
    ['untilError', 1],
    [[`Deadlines of ${list(values)} ms: Redis hangs, and a read fails after`, 'time']],
  );
}

function starts({ trouble: { timeoutsMs: values } }: RedisSizes): Experiment {
  return compared(
    'tuning-connect-timeout',
    values,
    (connectTimeoutMs) => ({ kind: 'trouble', connectTimeoutMs }),
    ['untilNoStart', 1],
    [[`Connecting within ${list(values)} ms: Redis hangs, and a start fails after`, 'time']],
  );
}

function waits({ trouble: { waitsMs: values } }: RedisSizes): Experiment {
  return compared(
    'tuning-wait',
    values,
    (waitMs) => ({ kind: 'trouble', waitMs }),
    ['queueing', 1],
    [
      [
        `20 turns of 100 ms for one session at once, waiting ${list(values)} ms: those in vain`,
        'refused',
      ],
    ],
  );
}
