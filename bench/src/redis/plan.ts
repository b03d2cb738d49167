import { atLeast, atMost, type Experiment, type Row, type Target } from '../experiment.ts';
import type { Quantity } from '../figures.ts';
import type { Measure } from '../subject.ts';
import { stateBytes } from './sample-sessions.ts';
import type { RedisSizes } from './sizes.ts';
import { tuning } from './tuning.ts';

const number = (value: number) => value.toLocaleString('en-US');

export function redisExperiments(sizes: RedisSizes): readonly Experiment[] {
  return [
    turn(sizes),
    encrypted(sizes),
    traced(sizes),
    kept(sizes),
    traffic(sizes),
    history(sizes),
    oneSession(sizes),
    namespaces(sizes),
    footprint(sizes),
    ...tuning(sizes),
  ];
}

/** The difference that it looks for is smaller than that between two rounds of the others. */
function traced({ sessions, atOnce, traced: { rounds, turns: count } }: RedisSizes): Experiment {
  const figures: readonly Measure[] = ['turn', 'tracedTurn'];
  const compared = { figures, compare: 'growth', byRound: true } as const;
  return {
    name: 'redis/traced',
    rounds,
    subjects: { turns: { kind: 'turns', sessions, atOnce, stateBytes } },
    blocks: [figures.map((name) => ({ name, subject: 'turns', measure: name, count }))],
    rows: [
      {
        title: 'A plain turn: not traced → traced by an API without an SDK',
        of: 'rate',
        ...compared,
        target: atLeast(0.98),
      },
      { title: 'The same: CPU time of the process', of: 'cpu', ...compared },
    ],
  };
}

function kept({ kept: { sessions, reads, roundTrips } }: RedisSizes): Experiment {
  const measured = { subject: 'kept', count: reads };
  return {
    name: 'redis/kept',
    subjects: { kept: { kind: 'kept', sessions, stateBytes } },
    blocks: [
      [
        { ...measured, name: 'bare LRU', measure: 'lruGet' },
        { ...measured, name: 'store', measure: 'get' },
        { ...measured, name: 'round trip', measure: 'roundTrip', count: roundTrips },
      ],
    ],
    rows: [
      {
        title: 'A frozen session from a bare LRU → `get` of one that is kept, both awaited',
        of: 'rate',
        figures: ['bare LRU', 'store'],
        compare: 'growth',
        target: atLeast(0.4),
      },
      {
        title: 'A GET of its JSON → `get` of a session that is kept, one at a time',
        of: 'rate',
        figures: ['round trip', 'store'],
        compare: 'growth',
        target: atLeast(100),
      },
    ],
  };
}

function traffic({
  traffic: { sessions, kept: most, processes, visits: count },
}: RedisSizes): Experiment {
  const off = { kind: 'traffic', sessions, processes, stateBytes } as const;
  const subjects = { off, on: { ...off, l1: { size: most } } };
  const figures = Object.keys(subjects);
  const title = `${number(sessions)} sessions by Zipf's law, 95 % \`get\` and 5 % turns, from ${processes} processes`;
  return {
    name: 'redis/traffic',
    subjects,
    blocks: [figures.map((name) => ({ name, subject: name, measure: 'visits', count }))],
    rows: [
      {
        title: `${title}: bytes from Redis, without an L1 and with one of ${number(most)}`,
        of: 'bytes',
        figures,
        compare: 'growth',
        target: atMost(0.2),
      },
      { title: 'The same: how many get done', of: 'rate', figures, compare: 'growth' },
    ],
  };
}

function encrypted({ sessions, atOnce, turns: count }: RedisSizes): Experiment {
  const options = { kind: 'turns', sessions, atOnce, stateBytes } as const;
  const block = (measure: 'turn' | 'changingTurn') =>
    (['plain', 'encrypted'] as const).map((subject) => ({
      name: `${subject} ${measure}`,
      subject,
      measure,
      count,
    }));
  const row = (title: string, measure: string, target?: Target): Row => ({
    ...{ title, of: 'rate', figures: [`plain ${measure}`, `encrypted ${measure}`] },
    compare: 'growth',
    ...(target === undefined ? {} : { target }),
  });
  return {
    name: 'redis/encrypted',
    subjects: { plain: options, encrypted: { ...options, encrypted: true } },
    blocks: [[...block('turn'), ...block('changingTurn')]],
    rows: [
      row('A plain turn, its state known: not encrypted → encrypted', 'turn', atLeast(0.8)),
      row(
        'A turn that changes the state, which another instance changed before: the same',
        'changingTurn',
      ),
    ],
  };
}

function turn({ sessions, atOnce, turns: count }: RedisSizes): Experiment {
  const ours = (name: Measure, times = 1) =>
    ({ name, subject: 'ours', measure: name, count: count * times }) as const;
  // Limits are over so soon that the same number of calls would take no time to speak of.
  const limits = 4;
  const options = { sessions, atOnce, stateBytes };
  const speeds = (title: string, figures: readonly [string, string], target?: Target): Row => ({
    ...{ title, of: 'rate', figures, compare: 'growth' },
    ...(target === undefined ? {} : { target }),
  });
  const all = (of: Quantity, title: string): Row => ({
    title: `${title}: limit A → its turn → limit B → its turn → equal work`,
    of,
    figures: ['limit', 'turn', 'changingLimit', 'changingTurn', 'equal work'],
  });
  return {
    name: 'redis/turn',
    subjects: {
      ours: { kind: 'turns', ...options },
      oursEncrypted: { kind: 'turns', ...options, encrypted: true },
      theirs: { kind: 'equalWork', ...options },
    },
    blocks: [
      [
        ours('turn'),
        ours('limit', limits),
        ours('limitInParts', limits),
        ours('changingTurn'),
        ours('changingLimit', limits),
        ours('changingLimitInParts', limits),
        { name: 'encrypted turn', subject: 'oursEncrypted', measure: 'turn', count },
        { name: 'equal work', subject: 'theirs', measure: 'turn', count },
      ],
    ],
    rows: [
      speeds('Limit A → a plain turn, its state known', ['limit', 'turn'], atLeast(0.5)),
      speeds('The same; the limit with the turn’s own arguments', ['limitInParts', 'turn']),
      speeds(
        'Limit B → a turn that changes the state, which another instance changed before',
        ['changingLimit', 'changingTurn'],
        atLeast(0.5),
      ),
      speeds('The same; the limit with the turn’s own arguments', [
        'changingLimitInParts',
        'changingTurn',
      ]),
      speeds(
        'Equal work → a plain turn, both encrypted',
        ['equal work', 'encrypted turn'],
        atLeast(2),
      ),
      {
        title: 'The same: 99 of 100 are done within',
        of: 'p99',
        figures: ['equal work', 'encrypted turn'],
        compare: 'growth',
        target: atMost(1),
      },
      all('cpu', 'CPU time of the process'),
      all('serverCpu', 'CPU time of Redis'),
    ],
  };
}

function history({ history: { sessions, few, many, turns }, atOnce }: RedisSizes): Experiment {
  const subject = (filled: number) =>
    ({ kind: 'turns', sessions, atOnce, stateBytes, filled }) as const;
  const between = `in histories of ${number(few)} and of ${number(many)} messages`;
  const figures = ['short', 'long'];
  return {
    name: 'redis/history',
    subjects: { short: subject(few), long: subject(many) },
    blocks: [figures.map((name) => ({ name, subject: name, measure: 'turn', count: turns }))],
    rows: [
      {
        title: `A plain turn, ${between}`,
        of: 'time',
        figures,
        compare: 'growth',
        target: atMost(1.1),
      },
      { title: 'The same: CPU time of Redis', of: 'serverCpu', figures, compare: 'growth' },
    ],
  };
}

function oneSession({ one: { processes, writers, turns: count } }: RedisSizes): Experiment {
  const measured = { subject: 'session', count };
  const contended = `${writers} writers in ${processes} processes`;
  return {
    name: 'redis/one-session',
    subjects: { session: { kind: 'oneSession', processes, writers, stateBytes } },
    blocks: [
      [
        { ...measured, name: 'in sequence', measure: 'inSequence' },
        { ...measured, name: 'contended', measure: 'contended' },
        { name: 'order', subject: 'session', measure: 'order', count: writers },
      ],
    ],
    rows: [
      {
        title: `Turns of one session: one after another by one process → ${contended}`,
        of: 'rate',
        figures: ['in sequence', 'contended'],
        compare: 'growth',
        target: atLeast(0.6),
      },
      {
        title: `${contended}: script calls a turn`,
        of: 'calls',
        figures: ['contended'],
        target: atMost(3.1),
      },
      {
        title: `${contended}: out of the order of asking`,
        of: 'misplaced',
        figures: ['order'],
        target: atMost(0),
      },
    ],
  };
}

function namespaces({ namespace: { few, many, expiring, counts } }: RedisSizes): Experiment {
  const subject = (lasting: number) => ({ kind: 'namespace', lasting, stateBytes: 100 }) as const;
  const both = (measure: Measure, count: number, names = ['few', 'many']) =>
    names.map((name) => ({ name: `${measure} ${name}`, subject: name, measure, count }));
  const row = (measure: Measure) =>
    ({
      title: `\`${measure}\` at ${number(few)} and at ${number(many)} sessions`,
      of: 'time',
      figures: [`${measure} few`, `${measure} many`],
      compare: 'growth',
      target: atMost(2),
    }) as const;
  return {
    name: 'redis/namespace',
    subjects: { none: subject(0), few: subject(few), many: subject(many - expiring) },
    blocks: [
      [...both('countActive', counts), ...both('getStats', counts)],
      both('cleanup', expiring, ['none', 'many']),
    ],
    rows: [
      row('countActive'),
      row('getStats'),
      {
        title: `\`cleanupExpired\`, a session: ${number(expiring)} of ${number(expiring)}, and of ${number(many)}`,
        of: 'time',
        figures: ['cleanup none', 'cleanup many'],
        compare: 'growth',
        target: atMost(1.5),
      },
    ],
  };
}

function footprint({ footprints: count }: RedisSizes): Experiment {
  const subject = 'sessions';
  const row = (title: string, figures: readonly [string, string]) =>
    ({ title, of: 'bytes', figures, compare: 'growth', target: atMost(1.35) }) as const;
  const what = '1 KB of state and 20 messages of 500 bytes';
  const measures: readonly Measure[] = ['data', 'stored', 'dataKeyed', 'storedKeyed'];
  return {
    name: 'redis/footprint',
    subjects: { sessions: { kind: 'footprint', turns: 10, messageBytes: 500, stateBytes } },
    blocks: [measures.map((measure) => ({ name: measure, subject, measure, count }))],
    rows: [
      row(`${what}: as JSON → in the memory of Redis`, ['data', 'stored']),
      row('The same with 10 outcomes', ['dataKeyed', 'storedKeyed']),
    ],
  };
}
