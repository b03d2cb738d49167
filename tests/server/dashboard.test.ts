import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startProcess } from '../helpers/child-process.ts';
import { readmeSection } from '../helpers/readme.ts';
import { repositoryRoot } from '../helpers/repository.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { redisForTests } from '../servers/redis-for-tests.ts';
import { ServerOnRedis } from './server-on-redis.ts';

const prometheus = '/usr/bin/prometheus';
const token = 'a-token-for-scrapes';

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const dashboard = JSON.parse(
  await readFile(join(repositoryRoot, 'deploy/grafana/holdfast.json'), 'utf8'),
) as { readonly panels: readonly Panel[] };
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ title, expr })),
);

/** What the page on running it would have an alert for: a query, and what it is compared with. */
const alerts = [
  ...readmeSection('Metrics', 'docs/operations.md').matchAll(/^\| `(.+?) ((?:==|>) [\d.]+)`/gm),
].map(([, expr = '', bound = '']) => ({ expr, bound }));

/** Two servers, and traffic of every kind that the panels tell of. */
async function busyServers() {
  const redis = await redisForTests();
  onTestFinished(() => redis[Symbol.asyncDispose]());
  const env = { METRICS_TOKEN: token, REDIS_SESSION_KEY_PREFIX: `dashboard:${randomUUID()}:` };
  const servers = await Promise.all([1, 2].map(() => ServerOnRedis.start(redis.url, env)));
  const talk = async () => {
    for (const server of servers) {
      const session = await server.open();
      await server.say(session, 'How long does a refund take?');
      await server.request('GET', `/api/sessions/${session.id}`, { token: session.token });
      const ended = await server.open();
      await server.request('DELETE', `/api/sessions/${ended.id}`, { token: ended.token });
      await server.say(ended, 'Hello?');
    }
  };
  await talk();
  return { servers, talk };
}

async function metricNames({ address }: ServerOnRedis): Promise<ReadonlySet<string>> {
  const response = await fetch(`${address}/metrics`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(response.status).toBe(200);
  const lines = (await response.text()).split('\n').filter((line) => /^[a-z]/.test(line));
  return new Set(lines.map((line) => line.replace(/[{ ].*$/, '')));
}

/** Whatever in an expression stands where the name of a metric does. */
function namesIn(expr: string): string[] {
  return [...expr.matchAll(/\b(?:holdfast|process|nodejs)_\w+/g)].map(([name]) => name);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A Prometheus that scrapes these servers each second. */
async function startPrometheus(servers: readonly ServerOnRedis[]) {
  const folder = temporaryFolder();
  await mkdir(join(folder, 'data'));
  const example = await readFile(join(repositoryRoot, 'deploy/grafana/prometheus.yml'), 'utf8');
  await writeFile(join(folder, 'token'), token);
  const targets = servers.map(({ address }) => `'${new URL(address).host}'`).join(', ');
  const config = example
    .replace('15s', '1s')
    .replace('/etc/prometheus/holdfast-token', join(folder, 'token'))
    .replace("'localhost:8000'", targets);
  await writeFile(join(folder, 'prometheus.yml'), config);
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const process = startProcess(
    prometheus,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
    ],
    { cwd: folder },
  );
  const ready = () =>
    fetch(`http://${address}/-/ready`).then(
      ({ status }) => status,
      () => 0,
    );
  await expect.poll(ready, { timeout: 60_000, message: process.stderr }).toBe(200);
  return {
    async query(expr: string): Promise<readonly string[]> {
      const query = expr.replaceAll('$__rate_interval', '1m');
      const response = await fetch(
        `http://${address}/api/v1/query?${new URLSearchParams({ query })}`,
      );
      const { status, error, data } = (await response.json()) as {
        status: string;
        error?: string;
        data?: { result: { value: [number, string] }[] };
      };
      if (status !== 'success') throw new Error(`${expr}: ${error}`);
      return (data?.result ?? []).map(({ value }) => value[1]);
    },
  };
}

describe('the dashboard', () => {
  it('uses only metrics that there are', async () => {
    const { servers } = await busyServers();
    const names = await metricNames(servers[0] as ServerOnRedis);
    const used = queries.flatMap(({ expr }) => namesIn(expr));
    expect(used.length).toBeGreaterThan(queries.length - 1);
    expect(used.filter((name) => !names.has(name))).toEqual([]);
    expect(alerts).toHaveLength(6);
    const inAlerts = alerts.flatMap(({ expr }) => namesIn(expr));
    expect(inAlerts.filter((name) => !names.has(name))).toEqual([]);
    // And shows all of the product's own.
    const shown = new Set(used.map((name) => name.replace(/_(?:bucket|count|sum)$/, '')));
    const own = [...names].filter((name) => name.startsWith('holdfast_'));
    const families = new Set(own.map((name) => name.replace(/_(?:bucket|count|sum)$/, '')));
    expect([...families].filter((name) => !shown.has(name))).toEqual([
      'holdfast_l1_cache_hit_rate',
    ]);
  });

  it.skipIf(!existsSync(prometheus))(
    'has an answer to each of its queries from a real Prometheus (apt install prometheus)',
    async () => {
      const { servers, talk } = await busyServers();
      const { query } = await startPrometheus(servers);
      for (const { title, expr } of queries) {
        const values = async () => {
          await talk();
          const numbers = (await query(expr)).map(Number);
          return numbers.some(Number.isFinite);
        };
        await expect
          .poll(values, { timeout: 60_000, interval: 500, message: `${title}: ${expr}` })
          .toBe(true);
      }
      const rows = await Promise.all(
        queries.map(async ({ title, expr }) => `${title}: ${(await query(expr)).join(' ')}`),
      );
      console.log(rows.join('\n'));
      expect(await query('sum(rate(holdfast_turns_total[1m])) > 0')).toHaveLength(1);
      expect(await query('count(up{job="holdfast"} == 1)')).toEqual(['2']);
      for (const { expr, bound } of alerts) {
        const numbers = (await query(expr)).map(Number);
        expect([expr, numbers.some(Number.isFinite)]).toEqual([expr, true]);
        await query(`${expr} ${bound}`);
      }
    },
  );
});
