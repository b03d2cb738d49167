import { atLeast, atMost, type Experiment, type Measurement, type Row } from '../experiment.ts';

/** How much of everything; `quick` is for a look whether it runs, its figures mean little. */
export interface ServerSizes {
  readonly rounds: number;
  readonly sessions: number;
  readonly atOnce: number;
  readonly answers: number;
  readonly firstBytes: number;
}

export const fullServerSizes: ServerSizes = {
  rounds: 5,
  sessions: 200,
  atOnce: 50,
  answers: 4_000,
  firstBytes: 1_000,
};

export const quickServerSizes: ServerSizes = {
  rounds: 1,
  sessions: 50,
  atOnce: 10,
  answers: 200,
  firstBytes: 50,
};

/** @param main the built server */
export function serverExperiments(sizes: ServerSizes, main: string): readonly Experiment[] {
  return [answers('in_memory', sizes, main), answers('redis', sizes, main), logging(sizes, main)];
}

function answers(
  store: 'in_memory' | 'redis',
  { sessions, atOnce, answers: count, firstBytes }: ServerSizes,
  main: string,
): Experiment {
  const where = store === 'redis' ? 'on Redis' : 'in memory';
  const speed = store === 'redis' ? 0.25 : 0.4;
  return {
    name: store === 'redis' ? 'server/redis' : 'server/memory',
    subjects: { server: { kind: 'answers', store, main, sessions, atOnce } },
    blocks: [
      [
        {
          name: 'echo’s first byte',
          subject: 'server',
          measure: 'echoFirstByte',
          count: firstBytes,
        },
        { name: 'first byte', subject: 'server', measure: 'firstByte', count: firstBytes },
        {
          name: 'echo’s first byte in turns',
          subject: 'server',
          measure: 'echoFirstByteAfterAnswer',
          count: firstBytes,
        },
        {
          name: 'first byte in turns',
          subject: 'server',
          measure: 'firstByteAfterEcho',
          count: firstBytes,
        },
        { name: 'echoes', subject: 'server', measure: 'echoes', count },
        ...(store === 'in_memory' ? references(count) : []),
        { name: 'answers', subject: 'server', measure: 'answers', count },
      ],
    ],
    rows: [
      {
        title: `An echo → an answer ${where}: the median time to its first byte, one at a time`,
        of: 'firstByte',
        figures: ['echo’s first byte', 'first byte'],
        compare: 'growth',
        ...(store === 'in_memory' ? { target: atMost(5) } : {}),
      },
      {
        title: 'The same in turns, an echo behind each answer: neither server is kept busy',
        of: 'firstByte',
        figures: ['echo’s first byte in turns', 'first byte in turns'],
        compare: 'growth',
        ...(store === 'in_memory' ? { target: atMost(5) } : {}),
      },
      {
        title: `Echoes → answers ${where}, ${atOnce} at once`,
        of: 'rate',
        figures: ['echoes', 'answers'],
        compare: 'growth',
        target: atLeast(speed),
      },
      ...(store === 'in_memory' ? referenceRows : [redisCpu]),
    ],
  };
}

/** What the lines of an answer cost: of its request, of its turn, and of its end. */
function logging({ sessions, atOnce, answers: count }: ServerSizes, main: string): Experiment {
  const quiet = { kind: 'answers', store: 'in_memory', main, sessions, atOnce } as const;
  const subjects = { quiet, logs: { ...quiet, logs: true } };
  const figures = Object.keys(subjects);
  return {
    name: 'server/logging',
    subjects,
    blocks: [figures.map((name) => ({ name, subject: name, measure: 'answers', count }))],
    rows: [
      {
        title:
          'CPU time of the serving process, in memory: an answer at `LOG_LEVEL=error` → at `info`, the default',
        of: 'serverCpu',
        figures,
        compare: 'growth',
      },
    ],
  };
}

/** What stands between an echo and an answer, whoever makes the answer. */
function references(count: number): readonly Measurement[] {
  return [
    { name: 'streams', subject: 'server', measure: 'streams', count },
    { name: 'bare turns', subject: 'server', measure: 'turnStreams', count },
  ];
}

const referenceRows: readonly Row[] = [
  {
    title:
      'CPU time of the serving process: an echo → as many bytes as an event stream of two writes → the same behind a bare turn → an answer in memory',
    of: 'serverCpu',
    figures: ['echoes', 'streams', 'bare turns', 'answers'],
  },
  {
    title: 'The same of an echo and of a stream behind a bare turn, 50 at once, by the clock',
    of: 'rate',
    figures: ['echoes', 'bare turns'],
    compare: 'growth',
  },
];

const redisCpu: Row = {
  title: 'CPU time of the serving process, Redis not included: an echo → an answer on Redis',
  of: 'serverCpu',
  figures: ['echoes', 'answers'],
};
