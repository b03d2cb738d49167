import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onPath } from './on-path.ts';

/** Paths of the programs. */
export interface AptTools {
  aptGet: string;
  dpkg: string;
}

/** Undefined where packages are not Debian's. */
export function findAptTools(path: string): AptTools | undefined {
  if (process.platform !== 'linux') return undefined;
  const [aptGet] = onPath('apt-get', path);
  const [dpkg] = onPath('dpkg', path);
  return aptGet === undefined || dpkg === undefined ? undefined : { aptGet, dpkg };
}

/**
 * Downloads these packages, installed or not, and all that their installation would add to this
 * system, into `folder`. Any user can: apt's lists, caches and logs are private ones, and of the
 * system's state it only reads.
 *
 * @returns the packages' files
 */
export async function downloadPackages(
  { aptGet }: AptTools,
  names: readonly string[],
  folder: string,
): Promise<string[]> {
  const state = join(folder, 'state');
  const cache = join(folder, 'cache');
  const log = join(folder, 'log');
  const packages = join(folder, 'packages');
  mkdirSync(join(state, 'lists', 'partial'), { recursive: true });
  mkdirSync(join(cache, 'archives', 'partial'), { recursive: true });
  for (const each of [log, packages]) mkdirSync(each);
  const config = join(folder, 'apt.conf');
  writeFileSync(config, privateConfig({ state, cache, log }));

  const apt = (...args: string[]) => run(aptGet, ['-qq', '-c', config, ...args], packages);
  await apt('update');
  const plan = await apt('install', '--simulate', '--no-install-recommends', ...names);
  await apt('download', ...new Set([...names, ...addedBy(plan)]));
  return readdirSync(packages).map((file) => join(packages, file));
}

export async function unpackPackages(
  { dpkg }: AptTools,
  packages: readonly string[],
  target: string,
): Promise<void> {
  for (const file of packages) await run(dpkg, ['--extract', file, target], '/');
}

/**
 * Read after the system's own configuration, whose hooks of an update (caches of desktop software)
 * and indexes of other things than packages it takes out.
 */
function privateConfig({ state, cache, log }: Record<'state' | 'cache' | 'log', string>): string {
  return `
Dir::State "${state}";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "${cache}";
Dir::Log "${log}";
APT::Sandbox::User "root";
Acquire::Languages "none";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear Acquire::IndexTargets::deb::CNF;
#clear Acquire::IndexTargets::deb::Contents-deb;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::DEP-11-icons;
#clear Acquire::IndexTargets::deb::DEP-11-icons-small;
#clear Acquire::IndexTargets::deb::DEP-11-icons-hidpi;
#clear Acquire::IndexTargets::deb::DEP-11-icons-large;
#clear Acquire::IndexTargets::deb::DEP-11-icons-large-hidpi;
`;
}

/**
 * `Inst name (version …)` adds a package. `Inst name [old] (version …)` would replace one, and the
 * old one has to do: a C library beside the system's loader ends every program.
 */
function addedBy(plan: string): string[] {
  return [...plan.matchAll(/^Inst (\S+) \(/gm)].flatMap(([, name]) => name ?? []);
}

async function run(command: string, args: string[], cwd: string): Promise<string> {
  const env = { ...process.env, LC_ALL: 'C' };
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, env, maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    const reason = /^E: (.*)$/m.exec(stderr)?.[1] ?? message.split('\n')[0];
    throw new Error(reason, { cause: error });
  }
}
