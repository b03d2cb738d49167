import { describe, expect, it } from 'vitest';
import { type Result, resultOf, runExperiment } from './experiment.ts';
import { localSubject } from './local-subject.ts';
import { median } from './measuring.ts';
import { experiments, type Sizes } from './plan.ts';
import { profileTurns, selfTimes } from './profile.ts';
import { duration, page, table } from './report.ts';

/** Just enough that everything happens. What it costs is not asked here. */
const tiny: Sizes = {
  rounds: 1,
  sessions: { few: 10, usual: 20, many: 40 },
  messages: { few: 2, many: 6 },
  reads: 20,
  turns: 10,
  creations: 15,
  expiring: 10,
};

describe('the experiments', () => {
  const plans = experiments(tiny);

  it.each(plans.map((experiment) => [experiment.rows[0]?.title, experiment] as const))(
    'run: %s',
    async (_, experiment) => {
      const results = await runExperiment(experiment, tiny.rounds, localSubject);
      expect(results.map(({ title }) => title)).toEqual(experiment.rows.map(({ title }) => title));
      for (const { figures } of results) {
        expect(figures.length).toBeGreaterThan(0);
        expect(figures.every((figure) => figure >= 0)).toBe(true);
      }
    },
  );

  it('cover what is promised', () => {
    const targets = plans
      .flatMap(({ rows }) => rows)
      .flatMap(({ target }) => (target === undefined ? [] : [`${target.kind} ${target.ratio}`]));
    expect(targets.toSorted()).toEqual([
      'at least 0.3',
      'at most 1.1',
      ...Array.from({ length: 4 }, () => 'at most 1.5'),
    ]);
  });
});

describe('a subject', () => {
  it('refuses a measure that is none of its own', async () => {
    const sessions = await localSubject({ kind: 'sessions', sessions: 1, messages: 1 });
    await expect(sessions.measure('cleanup', 1)).rejects.toThrow(/no measure cleanup/);
    const expiry = await localSubject({ kind: 'expiry', lasting: 1, expiring: 1 });
    await expect(expiry.measure('turn', 1)).rejects.toThrow(/no measure turn/);
    await Promise.all([sessions.stop(), expiry.stop()]);
  });

  it('cleans up what has expired, again and again, and nothing else', async () => {
    const expiry = await localSubject({ kind: 'expiry', lasting: 5, expiring: 4 });
    await expect(expiry.measure('cleanup', 4)).resolves.toBeGreaterThanOrEqual(0);
    await expect(expiry.measure('cleanup', 4)).resolves.toBeGreaterThanOrEqual(0);
    await expiry.stop();
  });
});

describe('a result', () => {
  const medians = new Map([
    ['a', 100],
    ['b', 160],
    ['c', 10],
    ['d', 16],
  ]);
  const row = { title: 'x', figures: ['a', 'b'] };

  it('has the growth from one figure to the other, or their speeds', () => {
    expect(resultOf({ ...row, compare: 'growth' }, medians).ratio).toBe(1.6);
    expect(resultOf({ ...row, compare: 'speed' }, medians).ratio).toBe(0.625);
    expect(resultOf(row, medians)).toMatchObject({ figures: [100, 160], ratio: null, met: null });
  });

  it('leaves out the growth of a reference', () => {
    const against = ['c', 'd'] as const;
    expect(resultOf({ ...row, compare: 'growth', against }, medians).ratio).toBe(1);
  });

  it.each([
    ['at most', 1.6, '≤ 1.6', true],
    ['at most', 1.5, '≤ 1.5', false],
    ['at least', 1.6, '≥ 1.6', true],
    ['at least', 1.7, '≥ 1.7', false],
  ] as const)('is held to %s %d', (kind, ratio, target, met) => {
    const held = resultOf({ ...row, compare: 'growth', target: { kind, ratio } }, medians);
    expect(held).toMatchObject({ target, met });
  });

  it('is not made up', () => {
    expect(() => resultOf({ title: 'x', figures: ['unknown'] }, medians)).toThrow(/unknown/);
  });
});

describe('the report', () => {
  const result = { figures: [120, 45_600], ratio: 380, target: '≤ 1.5' };
  const results: Result[] = [
    { title: 'kept', ...result, met: true },
    { title: 'broken', ...result, met: false },
    { title: 'told', figures: [999.6], ratio: null, target: null, met: null },
  ];

  it('says plainly which targets were missed', () => {
    const lines = table(results).split('\n');
    expect(lines[2]).toBe('| kept | 120 ns → 45.6 µs | 380.00 | ≤ 1.5 | met |');
    expect(lines[3]).toBe('| broken | 120 ns → 45.6 µs | 380.00 | ≤ 1.5 | **missed** |');
    expect(lines[4]).toBe('| told | 1000 ns |  |  |  |');
  });

  it('says where it comes from', () => {
    const text = page(results, { node: 'v20.19.0', platform: 'linux x64', date: '2030-01-01' });
    expect(text).toContain('on 2030-01-01, with Node v20.19.0 on linux x64');
    expect(text).toContain(table(results));
  });

  it.each([
    [0.5, '0.5 ns'],
    [12.345, '12.3 ns'],
    [123.45, '123 ns'],
    [1_234, '1.23 µs'],
    [123_456, '123 µs'],
  ])('writes %d ns as %s', (nanoseconds, text) => {
    expect(duration(nanoseconds)).toBe(text);
  });
});

describe('median', () => {
  it.each([
    [[3], 3],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 8, 7, 100], 9],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });
});

describe('the profile', () => {
  it('tells the time of each function', async () => {
    const functions = selfTimes(await profileTurns(2_000), 2_000);
    const shares = functions.reduce((sum, { share }) => sum + share, 0);
    expect(shares).toBeCloseTo(1);
    expect(functions.some(({ name }) => /\.ts:\d+$/.test(name))).toBe(true);
  });
});
