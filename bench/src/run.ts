import { writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Result, runExperiment } from './experiment.ts';
import { experiments, fullSizes, quickSizes } from './plan.ts';
import { profileTurns, saveProfile, selfTimes } from './profile.ts';
import { remoteSubject } from './remote-subject.ts';
import { duration, page, table } from './report.ts';

const usage = `npm run bench -- [--quick] [--json] [--write] [--profile]

  --quick    a look whether everything runs, in seconds; the figures mean little
  --json     the results as JSON
  --write    write docs/benchmarks.md
  --profile  where the time of a plain turn goes, and nothing else`;

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) console.log(usage);
else if (options.profile) await profile(options.quick ? 10_000 : 100_000);
else await bench();

async function bench(): Promise<void> {
  const { quick, json, write } = options;
  if (quick && write) {
    console.error('The figures of --quick mean too little to --write them down.');
    process.exitCode = 1;
    return;
  }
  const sizes = quick ? quickSizes : fullSizes;
  const results: Result[] = [];
  for (const experiment of experiments(sizes)) {
    const done = await runExperiment(experiment, sizes.rounds, remoteSubject);
    for (const { title } of done) console.error(`Measured: ${title}`);
    results.push(...done);
  }
  const circumstances = {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    date: new Date().toISOString().slice(0, 10),
  };
  console.log(json ? JSON.stringify({ ...circumstances, results }, null, 2) : table(results));
  if (write) {
    const file = new URL('../../docs/benchmarks.md', import.meta.url);
    await writeFile(file, page(results, circumstances));
    console.error(`Wrote ${shown(file)}.`);
  }
}

async function profile(turns: number): Promise<void> {
  const taken = await profileTurns(turns);
  const functions = selfTimes(taken, turns);
  const all = functions.reduce((sum, { selfTime }) => sum + selfTime, 0);
  console.log(`A plain turn takes ${duration(all)}, profiler included:`);
  for (const { name, selfTime, share } of functions.slice(0, 40)) {
    const percent = `${(share * 100).toFixed(1)} %`;
    console.log(`${percent.padStart(7)} ${duration(selfTime).padStart(9)}  ${name}`);
  }
  const file = await saveProfile(taken, new URL('../.cache/', import.meta.url));
  console.error(`Saved ${shown(file)}, for the performance panel of a browser's tools.`);
}

function shown(file: URL): string {
  return relative(fileURLToPath(new URL('../..', import.meta.url)), fileURLToPath(file));
}
