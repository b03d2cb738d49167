import { describe, expect, it } from 'vitest';
import { runExperiment } from '../../bench/src/experiment.ts';
import { localSubject, type SubjectOptions } from '../../bench/src/local-subject.ts';
import { redisExperiments } from '../../bench/src/redis/plan.ts';
import type { RedisSizes } from '../../bench/src/redis/sizes.ts';
import type { Measure } from '../../bench/src/subject.ts';

/** Just enough that everything happens. What it costs is not asked here. */
const tiny: RedisSizes = {
  rounds: 1,
  sessions: 10,
  atOnce: 5,
  turns: 20,
  traced: { rounds: 1, turns: 10 },
  history: { sessions: 4, few: 2, many: 6, turns: 8 },
  one: { processes: 2, writers: 6, turns: 12 },
  namespace: { few: 3, many: 12, expiring: 5, counts: 2 },
  // Enough to be seen beside the buffers of connections, which come and go.
  footprints: 30,
  kept: { sessions: 3, reads: 20, roundTrips: 5 },
  traffic: { sessions: 10, kept: 5, processes: 2, visits: 40, quietVisits: 10 },
  trouble: { leasesMs: [200, 300], timeoutsMs: [1_000, 1_500], waitsMs: [100, 200] },
};

describe('the experiments on Redis', () => {
  const plans = redisExperiments(tiny);

  it.each(plans.map((experiment) => [experiment.name, experiment] as const))(
    'run: %s',
    async (_, experiment) => {
      const results = await runExperiment(experiment, tiny.rounds, localSubject);
      expect(results.map(({ title }) => title)).toEqual(experiment.rows.map(({ title }) => title));
      for (const { figures, unit } of results) {
        expect(figures.length).toBeGreaterThan(0);
        const mayBeNone = unit === '' || unit === '%';
        expect(figures.every((value) => (mayBeNone ? value >= 0 : value > 0))).toBe(true);
      }
    },
  );

  it('hold a contended turn to its order and its calls, on any machine', async () => {
    const contended = plans.filter(({ name }) => name === 'redis/one-session');
    const results = await Promise.all(
      contended.map((experiment) => runExperiment(experiment, tiny.rounds, localSubject)),
    );
    const counted = results.flat().filter(({ unit }) => unit === '');
    expect(counted.map(({ met }) => met)).toEqual([true, true]);
  });

  it('cover what is promised', () => {
    const targets = plans
      .flatMap(({ rows }) => rows)
      .flatMap(({ target }) => (target === undefined ? [] : [`${target.kind} ${target.value}`]));
    expect(targets.toSorted()).toEqual([
      'at least 0.4',
      'at least 0.5',
      'at least 0.5',
      'at least 0.6',
      'at least 0.8',
      'at least 0.98',
      'at least 100',
      'at least 2',
      'at most 0',
      'at most 0.2',
      'at most 1',
      'at most 1.1',
      'at most 1.35',
      'at most 1.35',
      'at most 1.5',
      'at most 2',
      'at most 2',
      'at most 3.1',
    ]);
  });
});

describe('a subject on Redis', () => {
  it.each<[SubjectOptions, Measure]>([
    [{ kind: 'turns', sessions: 1, atOnce: 1, stateBytes: 200 }, 'cleanup'],
    [{ kind: 'equalWork', sessions: 1, atOnce: 1, stateBytes: 200 }, 'limit'],
    [{ kind: 'oneSession', processes: 1, writers: 1, stateBytes: 200 }, 'turn'],
    [{ kind: 'namespace', lasting: 1, stateBytes: 100 }, 'turn'],
    [{ kind: 'kept', sessions: 1, stateBytes: 200 }, 'turn'],
    [{ kind: 'traffic', sessions: 1, processes: 1, stateBytes: 200 }, 'turn'],
    [{ kind: 'trouble', leaseMs: 100, timeoutMs: 5_000 }, 'turn'],
    [{ kind: 'footprint', turns: 1, messageBytes: 10, stateBytes: 100 }, 'turn'],
  ])('refuses a measure that is none of its own: %j, %s', async (options, measure) => {
    const subject = await localSubject(options);
    await expect(subject.measure(measure, 1)).rejects.toThrow(`no measure ${measure}`);
    await subject.stop();
  });

  it('gives the messages of equal work back to nobody else', async () => {
    const { SealedJson } = await import('../../bench/src/redis/sealed-json.ts');
    const sealed = new SealedJson();
    const text = sealed.seal({ a: [1, 'é'] }, 'session-1');
    expect(sealed.open(text, 'session-1')).toEqual({ a: [1, 'é'] });
    expect(() => sealed.open(text, 'session-2')).toThrow();
  });
});
