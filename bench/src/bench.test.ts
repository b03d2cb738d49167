import { readFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { loadConfig } from 'holdfast';
import { describe, expect, it } from 'vitest';
import { type EncryptionSizes, encryptionExperiments } from './encryption/plan.ts';
import { type Result, resultOf, runExperiment } from './experiment.ts';
import { duration, figure } from './figures.ts';
import { identityExperiments } from './identity/plan.ts';
import { localSubject } from './local-subject.ts';
import { concurrently, loadOf, median } from './measuring.ts';
import { memoryExperiments, type Sizes } from './memory/plan.ts';
import { SessionsSubject } from './memory/sessions-subject.ts';
import { page } from './page.ts';
import { profileOf, selfTimes } from './profile.ts';
import { redisExperiments } from './redis/plan.ts';
import { quickRedisSizes } from './redis/sizes.ts';
import { table } from './report.ts';

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

const tinyEncryption: EncryptionSizes = { rounds: 1, sessions: 3, records: 20 };

const operationsPage = new URL('../../docs/operations.md', import.meta.url);

it('the page about running it shows settings at values that they take', async () => {
  const tables = (await readFile(operationsPage, 'utf8')).matchAll(
    /^\|[^|\n]*`([A-Z_]+)` \|.*\n\|[-|]+\n((?:\|.*\n)+)/gm,
  );
  const shown = [...tables].flatMap(([, name = '', rows = '']) =>
    [...rows.matchAll(/^\| (\S+) s \|/gm)].map(([, value = '']) => [name, value] as const),
  );
  expect([...new Set(shown.map(([name]) => name))]).toEqual([
    'REDIS_SOCKET_TIMEOUT',
    'REDIS_SOCKET_CONNECT_TIMEOUT',
    'SESSION_LOCK_TIMEOUT_SECONDS',
    'SESSION_LOCK_WAIT_SECONDS',
  ]);
  for (const [name, value] of shown) loadConfig({ env: { [name]: value }, envFile: devNull });
});

it('the page about running it names what measures each of its tables, and nothing else', async () => {
  const named = (await readFile(operationsPage, 'utf8')).match(/redis\/tuning-[a-z0-9-]+/g) ?? [];
  const all = redisExperiments(quickRedisSizes).map(({ name }) => name);
  expect(named.toSorted()).toEqual(all.filter((name) => name.includes('/tuning-')).toSorted());
});

describe('the experiments', () => {
  const plans = [
    ...memoryExperiments(tiny),
    ...identityExperiments({ rounds: tiny.rounds, sessions: 9, requests: 20 }),
    ...encryptionExperiments(tinyEncryption),
  ];

  it.each(plans.map((experiment) => [experiment.rows[0]?.title, experiment] as const))(
    'run: %s',
    async (_, experiment) => {
      const results = await runExperiment(experiment, tiny.rounds, localSubject);
      expect(results.map(({ title }) => title)).toEqual(experiment.rows.map(({ title }) => title));
      for (const { figures } of results) {
        expect(figures.length).toBeGreaterThan(0);
        expect(figures.every((value) => value >= 0)).toBe(true);
      }
    },
  );

  it('cover what is promised', () => {
    const targets = plans
      .flatMap(({ rows }) => rows)
      .flatMap(({ target }) => (target === undefined ? [] : [`${target.kind} ${target.value}`]));
    expect(targets.toSorted()).toEqual([
      'at least 0.3',
      'at most 1.1',
      ...Array.from({ length: 2 }, () => 'at most 1.3'),
      ...Array.from({ length: 4 }, () => 'at most 1.5'),
      'at most 15000',
      'at most 60000',
    ]);
  });
});

describe('a subject', () => {
  it('refuses a measure that is none of its own', async () => {
    const sessions = await localSubject({ kind: 'sessions', sessions: 1, messages: 1 });
    await expect(sessions.measure('cleanup', 1)).rejects.toThrow(/no measure cleanup/);
    const expiry = await localSubject({ kind: 'expiry', lasting: 1, expiring: 1 });
    await expect(expiry.measure('turn', 1)).rejects.toThrow(/no measure turn/);
    const records = await localSubject({ kind: 'records', sessions: 1, bytes: 700 });
    await expect(records.measure('turn', 1)).rejects.toThrow(/no measure turn/);
    const clients = await localSubject({ kind: 'clients', sessions: 1 });
    await expect(clients.measure('turn', 1)).rejects.toThrow(/no measure turn/);
    await Promise.all([sessions.stop(), expiry.stop(), records.stop(), clients.stop()]);
  });

  it('cleans up what has expired, again and again, and nothing else', async () => {
    const expiry = await localSubject({ kind: 'expiry', lasting: 5, expiring: 4 });
    await expect(expiry.measure('cleanup', 4)).resolves.toEqual({ cpu: expect.any(Number) });
    await expect(expiry.measure('cleanup', 4)).resolves.toEqual({ cpu: expect.any(Number) });
    await expiry.stop();
  });
});

describe('a result', () => {
  const medians: Readonly<Record<string, number>> = {
    'a cpu': 100,
    'b cpu': 160,
    'c cpu': 10,
    'd cpu': 16,
    'a rate': 5_000,
    'b rate': 2_000,
    'a calls': 3.05,
  };
  const figuresOf = (name: string, quantity: string) => {
    const found = medians[`${name} ${quantity}`];
    if (found === undefined) throw new Error(`${name} is unknown`);
    return [found - 1, found, found + 9];
  };
  const row = { title: 'x', figures: ['a', 'b'] };

  it('has the growth from one figure to the other, or their speeds', () => {
    expect(resultOf({ ...row, compare: 'growth' }, figuresOf).ratio).toBe(1.6);
    expect(resultOf({ ...row, compare: 'speed' }, figuresOf).ratio).toBe(0.625);
    expect(resultOf(row, figuresOf)).toMatchObject({ figures: [100, 160], ratio: null, met: null });
  });

  it('is about one quantity, in its unit', () => {
    const ofRate = resultOf({ ...row, of: 'rate', compare: 'growth' }, figuresOf);
    expect(ofRate).toMatchObject({ figures: [5_000, 2_000], unit: '/s', ratio: 0.4 });
    expect(resultOf(row, figuresOf).unit).toBe('ns');
  });

  it('leaves out the growth of a reference', () => {
    const against = ['c', 'd'] as const;
    expect(resultOf({ ...row, compare: 'growth', against }, figuresOf).ratio).toBe(1);
  });

  it.each([
    ['at most', 1.6, '≤ 1.6', true],
    ['at most', 1.5, '≤ 1.5', false],
    ['at least', 1.6, '≥ 1.6', true],
    ['at least', 1.7, '≥ 1.7', false],
  ] as const)('is held to %s %d', (kind, value, target, met) => {
    const held = resultOf({ ...row, compare: 'growth', target: { kind, value } }, figuresOf);
    expect(held).toMatchObject({ target, met });
  });

  it.each([
    [3.1, true],
    [3, false],
  ])('of one figure is held to %d itself', (value, met) => {
    const one = { title: 'x', figures: ['a'], of: 'calls', target: { kind: 'at most', value } };
    expect(resultOf(one as Parameters<typeof resultOf>[0], figuresOf).met).toBe(met);
  });

  it('of one figure has its target in the same unit', () => {
    const one = { title: 'x', figures: ['a'], target: { kind: 'at most', value: 15_000 } } as const;
    expect(resultOf(one, figuresOf)).toMatchObject({ target: '≤ 15 µs', met: true });
  });

  it('by round has the median of what each round came to', () => {
    const rounds: Record<string, number[]> = { before: [10, 100, 30], after: [11, 120, 39] };
    const resultBy = (byRound: boolean) =>
      resultOf(
        { title: 'x', figures: ['before', 'after'], compare: 'growth', byRound },
        (name) => rounds[name] ?? [],
      );
    expect(resultBy(true)).toMatchObject({ figures: [30, 39], ratio: 1.2 });
    expect(resultBy(false)).toMatchObject({ figures: [30, 39], ratio: 1.3 });
  });

  it('is not made up', () => {
    expect(() => resultOf({ title: 'x', figures: ['z'] }, figuresOf)).toThrow(/z is unknown/);
  });
});

describe('the report', () => {
  const result = { figures: [120, 45_600], unit: 'ns', ratio: 380, target: '≤ 1.5' } as const;
  const results: Result[] = [
    { title: 'kept', ...result, met: true },
    { title: 'broken', ...result, met: false },
    { title: 'told', figures: [999.6], unit: 'ns', ratio: null, target: null, met: null },
  ];
  const circumstances = { node: 'v20.19.0', platform: 'linux x64', date: '2030-01-01' };

  it('says plainly which targets were missed', () => {
    const lines = table(results).split('\n');
    expect(lines[2]).toBe('| kept | 120 ns → 45.6 µs | 380.00 | ≤ 1.5 | met |');
    expect(lines[3]).toBe('| broken | 120 ns → 45.6 µs | 380.00 | ≤ 1.5 | **missed** |');
    expect(lines[4]).toBe('| told | 1000 ns |  |  |  |');
  });

  it('says where each part comes from', () => {
    const text = page({ memory: results, redis: results }, circumstances, '');
    for (const store of ['memory', 'redis']) {
      expect(text).toContain(
        `\`npm run bench -- --only ${store} --write\`, on 2030-01-01, with Node v20.19.0 on linux x64`,
      );
    }
    expect(text.split(table(results))).toHaveLength(3);
  });

  it('keeps the part that was not measured', () => {
    const [first, second] = [[results[0]], [results[1]]] as [Result[], Result[]];
    const before = page({ memory: first, redis: first }, circumstances, 'an older page');
    const later = { ...circumstances, date: '2031-01-01' };
    const memoryAgain = page({ memory: second }, later, before);
    expect(page({ redis: second }, later, memoryAgain)).toBe(
      page({ memory: second, redis: second }, later, ''),
    );
    expect(page({ redis: first }, circumstances, memoryAgain)).toBe(memoryAgain);
  });

  it.each([
    [0.5, '0.5 ns'],
    [12.345, '12.3 ns'],
    [123.45, '123 ns'],
    [1_234, '1.23 µs'],
    [123_456, '123 µs'],
    [12_345_678, '12.3 ms'],
    [1_234_567_890, '1.23 s'],
  ])('writes %d ns as %s', (nanoseconds, text) => {
    expect(duration(nanoseconds)).toBe(text);
  });

  it.each([
    [12_345.6, '/s', '12,346/s'],
    [12_345.6, 'B', '12,346 B'],
    [3.0051, '', '3.01'],
    [1_500, 'ns', '1.5 µs'],
  ] as const)('writes %d%s as %s', (value, unit, text) => {
    expect(figure(value, unit)).toBe(text);
  });
});

describe('a load', () => {
  it('keeps as many operations under way as it may, in order', async () => {
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    await concurrently(20, 3, async (index) => {
      begun.push(index);
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
    });
    expect(begun).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(most).toBe(3);
  });

  it('has a rate and the time that 99 of 100 stay below', async () => {
    const slow = () => new Promise((resolve) => setTimeout(resolve, 20));
    const figures = await loadOf(100, 100, (index) => (index < 2 ? slow() : Promise.resolve()));
    expect(figures.p99).toBeGreaterThan(19e6);
    expect(figures.rate).toBeLessThan(100 / 0.019);
    expect(figures.time).toBeCloseTo(1e9 / (figures.rate ?? 0));
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
    const subject = await SessionsSubject.create({ sessions: 100, messages: 20 });
    const taken = await profileOf(() => subject.measure('turn', 2_000));
    await subject.stop();
    const functions = selfTimes(taken, 2_000);
    const shares = functions.reduce((sum, { share }) => sum + share, 0);
    expect(shares).toBeCloseTo(1);
    expect(functions.some(({ name }) => /\.ts:\d+$/.test(name))).toBe(true);
  });
});
