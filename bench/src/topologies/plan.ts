import { atMost, type Experiment } from '../experiment.ts';
import { stateBytes } from '../redis/sample-sessions.ts';

export interface TopologySizes {
  readonly rounds: number;
  readonly sessions: number;
  readonly atOnce: number;
  readonly turns: number;
  readonly failovers: number;
}

export const fullTopologySizes: TopologySizes = {
  ...{ rounds: 5, sessions: 200, atOnce: 50, turns: 10_000, failovers: 1 },
};

export const quickTopologySizes: TopologySizes = {
  ...{ rounds: 1, sessions: 50, atOnce: 10, turns: 500, failovers: 1 },
};

export function topologyExperiments(sizes: TopologySizes): readonly Experiment[] {
  return [cluster(sizes), durability(sizes), ...failovers(sizes)];
}

function cluster({ sessions, atOnce, turns: count }: TopologySizes): Experiment {
  const figures = ['one', 'cluster'] as const;
  const placed = { kind: 'placed', sessions, atOnce, stateBytes } as const;
  return {
    name: 'topologies/cluster',
    subjects: { one: { ...placed, on: 'one' }, cluster: { ...placed, on: 'cluster' } },
    blocks: [figures.map((name) => ({ name, subject: name, measure: 'turn', count }))],
    rows: [
      {
        title: 'A plain turn, one server → a cluster of three primaries: CPU time of the process',
        of: 'cpu',
        figures,
        compare: 'growth',
        target: atMost(1.15),
      },
      { title: 'The same: how many get done', of: 'rate', figures, compare: 'growth' },
    ],
  };
}

function durability({ sessions, turns: count }: TopologySizes): Experiment {
  const placed = { kind: 'placed', on: 'replica', sessions, stateBytes } as const;
  const names = ['async', 'replicated'] as const;
  const at = (atOnce: number) =>
    Object.fromEntries(
      names.map((name) => [`${name} ${atOnce}`, { ...placed, atOnce, durability: name }]),
    );
  const figuresAt = (atOnce: number) => names.map((name) => `${name} ${atOnce}`);
  const block = (atOnce: number, times: number) =>
    figuresAt(atOnce).map((name) => ({
      ...{ name, subject: name, measure: 'turn' as const },
      count: Math.ceil(count * times),
    }));
  return {
    name: 'topologies/durability',
    subjects: { ...at(1), ...at(50) },
    blocks: [block(1, 0.2), block(50, 1)],
    rows: [
      ...(['p50', 'p99'] as const).map((of) => ({
        title: `A plain turn with a replica, one at a time, async → replicated: ${of}`,
        ...{ of, figures: figuresAt(1), compare: 'growth' as const },
      })),
      ...(['p50', 'p99', 'rate'] as const).map((of) => ({
        title: `The same, 50 at once: ${of === 'rate' ? 'how many get done' : of}`,
        ...{ of, figures: figuresAt(50), compare: 'growth' as const },
      })),
    ],
  };
}

function failovers({ failovers: count }: TopologySizes): readonly Experiment[] {
  return (['killed', 'stopped'] as const).map((measure) => ({
    name: `topologies/${measure}`,
    subjects: {
      sentinel: { kind: 'failover', on: 'sentinel' },
      cluster: { kind: 'failover', on: 'cluster' },
    },
    blocks: [
      (['sentinel', 'cluster'] as const).map((name) => ({ name, subject: name, measure, count })),
    ],
    rows: [
      {
        title: `A primary is ${measure}: until a turn succeeds, with sentinels → on a cluster`,
        of: 'time' as const,
        figures: ['sentinel', 'cluster'],
      },
      ...(['sentinel', 'cluster'] as const).map((figure) => ({
        title: `The same from when ${figure === 'cluster' ? "the cluster's" : "the sentinels'"} replica is the primary`,
        of: 'ownTime' as const,
        figures: [figure],
        target: atMost(3e9),
      })),
    ],
  }));
}
