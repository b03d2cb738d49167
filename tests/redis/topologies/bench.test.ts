import { expect, it } from 'vitest';
import { runExperiment } from '../../../bench/src/experiment.ts';
import { localSubject } from '../../../bench/src/local-subject.ts';
import { type TopologySizes, topologyExperiments } from '../../../bench/src/topologies/plan.ts';

/** Just enough that everything happens. What it costs is not asked here. */
const tiny: TopologySizes = { rounds: 1, sessions: 10, atOnce: 5, turns: 20, failovers: 1 };

// A failover takes seconds each time; that turns go on after one is tested beside this.
const plans = topologyExperiments(tiny).filter(({ name }) => !/killed|stopped/.test(name));

it.each(plans.map((experiment) => [experiment.name, experiment] as const))(
  'runs: %s',
  async (_, experiment) => {
    const results = await runExperiment(experiment, tiny.rounds, localSubject);
    expect(results.map(({ title }) => title)).toEqual(experiment.rows.map(({ title }) => title));
    for (const { figures } of results) expect(figures.every((value) => value > 0)).toBe(true);
  },
);
