import { mkdir, writeFile } from 'node:fs/promises';
import { type Profiler, type Runtime, Session } from 'node:inspector/promises';
import { basename } from 'node:path';

export interface ProfiledFunction {
  readonly name: string;
  /** Its own time, in nanoseconds for each turn. */
  readonly selfTime: number;
  /** The same as a part of all time, 0 to 1. */
  readonly share: number;
}

/** Runs `work` under V8's CPU profiler. */
export async function profileOf(work: () => Promise<unknown>): Promise<Profiler.Profile> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 100 });
    await session.post('Profiler.start');
    await work();
    const { profile } = await session.post('Profiler.stop');
    return profile;
  } finally {
    session.disconnect();
  }
}

/** The functions by their own time, the longest first. */
export function selfTimes(profile: Profiler.Profile, turns: number): readonly ProfiledFunction[] {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const micros = new Map<string, number>();
  let total = 0;
  profile.samples?.forEach((id, index) => {
    const name = names.get(id) ?? '';
    const time = profile.timeDeltas?.[index] ?? 0;
    micros.set(name, (micros.get(name) ?? 0) + time);
    total += time;
  });
  return [...micros]
    .map(([name, time]) => ({ name, selfTime: (time * 1_000) / turns, share: time / total }))
    .sort((a, b) => b.selfTime - a.selfTime);
}

export async function saveProfile(profile: Profiler.Profile, folder: URL): Promise<URL> {
  await mkdir(folder, { recursive: true });
  const file = new URL('turn.cpuprofile', folder);
  await writeFile(file, JSON.stringify(profile));
  return file;
}

function nameOf({ functionName, url, lineNumber }: Runtime.CallFrame): string {
  const name = functionName === '' ? 'anonymous' : functionName;
  return url === '' ? name : `${name} ${basename(url)}:${lineNumber + 1}`;
}
