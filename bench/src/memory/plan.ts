import { atLeast, atMost, type Experiment, type Measurement } from '../experiment.ts';
import type { Measure } from '../subject.ts';

/** How much of everything; `quick` is for a look whether it runs, its figures mean little. */
export interface Sizes {
  readonly rounds: number;
  readonly sessions: { readonly few: number; readonly usual: number; readonly many: number };
  readonly messages: { readonly few: number; readonly many: number };
  readonly reads: number;
  readonly turns: number;
  readonly creations: number;
  readonly expiring: number;
}

export const fullSizes: Sizes = {
  rounds: 5,
  sessions: { few: 1_000, usual: 10_000, many: 1_000_000 },
  messages: { few: 10, many: 10_000 },
  reads: 200_000,
  turns: 20_000,
  creations: 20_000,
  expiring: 10_000,
};

export const quickSizes: Sizes = {
  rounds: 3,
  sessions: { few: 1_000, usual: 1_000, many: 20_000 },
  messages: { few: 10, many: 1_000 },
  reads: 20_000,
  turns: 2_000,
  creations: 2_000,
  expiring: 1_000,
};

const number = (value: number) => value.toLocaleString('en-US');

/** Messages that a history keeps where its length is not the question. */
const messages = 20;

export function memoryExperiments(sizes: Sizes): readonly Experiment[] {
  return [
    reads(sizes),
    plainTurn(sizes),
    histories(sizes),
    numbers(sizes),
    youngGeneration(sizes),
    cleanup(sizes),
  ];
}

function reads({ sessions, reads: count }: Sizes): Experiment {
  const measured = { subject: 'usual', count };
  return {
    name: 'memory/reads',
    subjects: { usual: { kind: 'sessions', sessions: sessions.usual, messages } },
    blocks: [
      [
        { ...measured, name: 'bare Map', measure: 'mapGet' },
        { ...measured, name: 'store', measure: 'get' },
      ],
    ],
    rows: [
      {
        title: '`get`, against `get` of a bare Map, both awaited',
        figures: ['bare Map', 'store'],
        compare: 'speed',
        target: atLeast(0.3),
      },
    ],
  };
}

function plainTurn({ sessions, turns: count }: Sizes): Experiment {
  return {
    name: 'memory/turn',
    subjects: { few: { kind: 'sessions', sessions: sessions.few, messages } },
    blocks: [[{ name: 'turn', subject: 'few', measure: 'turn', count }]],
    rows: [{ title: 'A plain turn: two messages of 60 bytes and a count', figures: ['turn'] }],
  };
}

function histories({ messages: { few, many }, turns }: Sizes): Experiment {
  const count = turns / 5;
  // Many sessions, so that the turns measured leave the short histories short; and both keep all that
  // is appended, so that the same number of messages outlives its turn.
  const subject = (filled: number) =>
    ({ kind: 'sessions', sessions: 200, messages: many * 2, filled }) as const;
  return {
    name: 'memory/history',
    subjects: { short: subject(few), long: subject(many) },
    blocks: [
      [
        { name: 'short', subject: 'short', measure: 'turn', count },
        { name: 'long', subject: 'long', measure: 'turn', count },
      ],
    ],
    rows: [
      {
        title: `A plain turn, in histories of ${number(few)} and of ${number(many)} messages`,
        figures: ['short', 'long'],
        compare: 'growth',
        target: atMost(1.1),
      },
    ],
  };
}

function numbers({ sessions: { few, many }, ...sizes }: Sizes): Experiment {
  const subject = (sessions: number) => ({ kind: 'sessions', sessions, messages }) as const;
  const both = (measure: Measure, count: number): readonly Measurement[] =>
    ['few', 'many'].map((name) => ({ name: `${measure} ${name}`, subject: name, measure, count }));
  const between = `of ${number(few)} and of ${number(many)} sessions`;
  const maps = ['mapGet few', 'mapGet many'] as const;
  const gets = ['get few', 'get many'] as const;
  return {
    name: 'memory/numbers',
    subjects: { few: subject(few), many: subject(many) },
    blocks: [
      [...both('mapGet', sizes.reads), ...both('get', sizes.reads)],
      both('turn', sizes.turns),
      // Last: it replaces the sessions that the others use.
      both('create', sizes.creations),
    ],
    rows: [
      {
        title: `Reference: a bare Map, awaited, ${between}, ids at random`,
        figures: maps,
        compare: 'growth',
      },
      {
        title: `\`get\`, in stores ${between}, ids at random`,
        figures: gets,
        compare: 'growth',
        target: atMost(1.5),
      },
      {
        title: 'The same, without the growth that a bare Map has too',
        figures: gets,
        compare: 'growth',
        against: maps,
      },
      {
        title: `\`create\` in full stores ${between}, where each evicts one`,
        figures: ['create few', 'create many'],
        compare: 'growth',
        target: atMost(1.5),
      },
      {
        title: `A plain turn, in stores ${between}, ids at random`,
        figures: ['turn few', 'turn many'],
        compare: 'growth',
        target: atMost(1.5),
      },
    ],
  };
}

/** Each collection of the young generation also costs something for each page of the old one. */
function youngGeneration({ sessions: { few, many }, turns: count }: Sizes): Experiment {
  const youngMegabytes = 64;
  const subject = (sessions: number) =>
    ({ kind: 'sessions', sessions, messages, youngMegabytes }) as const;
  return {
    name: 'memory/young-generation',
    subjects: { few: subject(few), many: subject(many) },
    blocks: [['few', 'many'].map((name) => ({ name, subject: name, measure: 'turn', count }))],
    rows: [
      {
        title: `The same under \`node --max-semi-space-size=${youngMegabytes}\``,
        figures: ['few', 'many'],
        compare: 'growth',
      },
    ],
  };
}

function cleanup({ expiring, sessions: { many } }: Sizes): Experiment {
  const subject = (lasting: number) => ({ kind: 'expiry', lasting, expiring }) as const;
  return {
    name: 'memory/cleanup',
    subjects: { few: subject(0), many: subject(many - expiring) },
    blocks: [
      ['few', 'many'].map((name) => ({ name, subject: name, measure: 'cleanup', count: expiring })),
    ],
    rows: [
      {
        title: `\`cleanupExpired\`, a session: ${number(expiring)} of ${number(expiring)}, and of ${number(many)}`,
        figures: ['few', 'many'],
        compare: 'growth',
        target: atMost(1.5),
      },
    ],
  };
}
