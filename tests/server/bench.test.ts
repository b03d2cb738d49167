import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { runExperiment } from '../../bench/src/experiment.ts';
import { localSubject } from '../../bench/src/local-subject.ts';
import { type ServerSizes, serverExperiments } from '../../bench/src/server/plan.ts';

/** Just enough that everything happens. What it costs is not asked here. */
const tiny: ServerSizes = { rounds: 1, sessions: 4, atOnce: 2, answers: 8, firstBytes: 4 };

describe('the experiments with the server', () => {
  const main = join(inject('builtCopy'), 'packages', 'support-agent', 'dist', 'main.js');
  const plans = serverExperiments(tiny, main);

  it.each(plans.map((experiment) => [experiment.name, experiment] as const))(
    'run: %s',
    async (_, experiment) => {
      const results = await runExperiment(experiment, tiny.rounds, localSubject);
      expect(results.map(({ title }) => title)).toEqual(experiment.rows.map(({ title }) => title));
      for (const [at, { figures }] of results.entries()) {
        // The system counts CPU time in ticks, and so little may take less than one.
        const isCpu = experiment.rows[at]?.of === 'serverCpu';
        for (const figure of figures) expect(figure).toBeGreaterThanOrEqual(isCpu ? 0 : 1e-9);
      }
    },
  );

  it('cover what is promised', () => {
    const targets = plans
      .flatMap(({ rows }) => rows)
      .flatMap(({ target }) => (target === undefined ? [] : [`${target.kind} ${target.value}`]));
    expect(targets).toEqual(['at most 5', 'at most 5', 'at least 0.4', 'at least 0.25']);
  });
});
