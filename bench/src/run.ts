import { readFile, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  encryptionExperiments,
  fullEncryptionSizes,
  quickEncryptionSizes,
} from './encryption/plan.ts';
import { type Experiment, type Result, runExperiment } from './experiment.ts';
import { fullIdentitySizes, identityExperiments, quickIdentitySizes } from './identity/plan.ts';
import { fullSizes, memoryExperiments, quickSizes } from './memory/plan.ts';
import { type Part, page, parts } from './page.ts';
import { profile, profileAnswers } from './profile-command.ts';
import { redisExperiments } from './redis/plan.ts';
import { fullRedisSizes, quickRedisSizes } from './redis/sizes.ts';
import { remoteSubject } from './remote-subject.ts';
import { table } from './report.ts';
import { fullServerSizes, quickServerSizes, serverExperiments } from './server/plan.ts';
import { fullTopologySizes, quickTopologySizes, topologyExperiments } from './topologies/plan.ts';

const usage = `npm run bench -- [--only <name>] [--quick] [--json] [--write] [--profile]

  --only     memory, identity, redis, topologies, encryption, server, or one of their experiments:
             redis/turn
  --quick    a look whether everything runs; the figures mean little
  --json     the results as JSON
  --write    write docs/benchmarks.md, or the part of it that --only names
  --profile  where the time of a plain turn goes, and nothing else; of one on Redis with --only redis,
             of an answer in memory with --only server`;

const builtServer = fileURLToPath(
  new URL('../../packages/support-agent/dist/main.js', import.meta.url),
);

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) console.log(usage);
else if (options.profile) await showProfile();
else await bench();

async function bench(): Promise<void> {
  const { only, quick, json, write } = options;
  const sizes = quick
    ? {
        memory: quickSizes,
        identity: quickIdentitySizes,
        redis: quickRedisSizes,
        topologies: quickTopologySizes,
        encryption: quickEncryptionSizes,
        server: quickServerSizes,
      }
    : {
        memory: fullSizes,
        identity: fullIdentitySizes,
        redis: fullRedisSizes,
        topologies: fullTopologySizes,
        encryption: fullEncryptionSizes,
        server: fullServerSizes,
      };
  const plans = {
    memory: selected(memoryExperiments(sizes.memory)),
    identity: selected(identityExperiments(sizes.identity)),
    redis: selected(redisExperiments(sizes.redis)),
    topologies: selected(topologyExperiments(sizes.topologies)),
    encryption: selected(encryptionExperiments(sizes.encryption)),
    server: selected(serverExperiments(sizes.server, builtServer)),
  };
  if (Object.values(plans).every((plan) => plan.length === 0)) {
    return refuse(`No experiment is called ${only}.`);
  }
  if (quick && write) return refuse('The figures of --quick mean too little to --write them down.');
  if (write && only.includes('/')) return refuse(`--write takes a whole part, not only ${only}.`);
  const results: Partial<Record<Part, readonly Result[]>> = {};
  for (const part of parts) {
    if (plans[part].length === 0) continue;
    results[part] = await measured(plans[part], sizes[part].rounds);
  }
  const circumstances = {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    date: new Date().toISOString().slice(0, 10),
  };
  console.log(
    json
      ? JSON.stringify({ ...circumstances, results }, null, 2)
      : Object.values(results).map(table).join('\n\n'),
  );
  if (!write) return;
  const file = new URL('../../docs/benchmarks.md', import.meta.url);
  await writeFile(file, page(results, circumstances, await readFile(file, 'utf8')));
  console.error(`Wrote ${shown(file)}.`);
}

function selected(experiments: readonly Experiment[]): readonly Experiment[] {
  const { only } = options;
  if (only === '') return experiments;
  return experiments.filter(({ name }) => name === only || name.startsWith(`${only}/`));
}

async function measured(plan: readonly Experiment[], rounds: number): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const experiment of plan) {
    const done = await runExperiment(experiment, rounds, remoteSubject);
    for (const { title } of done) console.error(`Measured: ${title}`);
    results.push(...done);
  }
  return results;
}

async function showProfile(): Promise<void> {
  const file =
    options.only === 'server'
      ? await profileAnswers(builtServer, options.quick ? 1_000 : 8_000)
      : await profile(
          options.only === 'redis' ? 'redis' : 'memory',
          options.quick ? 10_000 : 100_000,
        );
  console.error(`Saved ${shown(file)}, for the performance panel of a browser's tools.`);
}

function refuse(why: string): void {
  console.error(why);
  process.exitCode = 1;
}

function shown(file: URL): string {
  return relative(fileURLToPath(new URL('../..', import.meta.url)), fileURLToPath(file));
}
