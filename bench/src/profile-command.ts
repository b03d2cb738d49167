import type { Profiler } from 'node:inspector/promises';
import { SessionsSubject } from './memory/sessions-subject.ts';
import { profileOf, saveProfile, selfTimes } from './profile.ts';
import { TurnsSubject } from './redis/turns-subject.ts';
import { duration } from './report.ts';

const shownFunctions = 40;

/** Prints where the time of a plain turn goes. @returns the file with all of it */
export async function profile(store: 'memory' | 'redis', turns: number): Promise<URL> {
  const taken = await (store === 'memory' ? profileMemory(turns) : profileRedis(turns));
  const functions = selfTimes(taken, turns);
  const all = functions.reduce((sum, { selfTime }) => sum + selfTime, 0);
  console.log(`A plain turn takes ${duration(all)}, profiler included:`);
  for (const { name, selfTime, share } of functions.slice(0, shownFunctions)) {
    const percent = `${(share * 100).toFixed(1)} %`;
    console.log(`${percent.padStart(7)} ${duration(selfTime).padStart(9)}  ${name}`);
  }
  return saveProfile(taken, new URL('../.cache/', import.meta.url));
}

async function profileMemory(turns: number): Promise<Profiler.Profile> {
  const subject = await SessionsSubject.create({ sessions: 1_000, messages: 20 });
  try {
    await subject.measure('turn', turns); // until it is compiled
    return await profileOf(() => subject.measure('turn', turns));
  } finally {
    await subject.stop();
  }
}

async function profileRedis(turns: number): Promise<Profiler.Profile> {
  const subject = await TurnsSubject.create({ sessions: 200, atOnce: 50, stateBytes: 1_024 });
  try {
    await subject.measure('turn', turns);
    await subject.server.resetCommands();
    const taken = await profileOf(() => subject.measure('turn', turns));
    console.log('Redis, for one turn, what a script calls included in the script (evalsha):');
    const commands = [...(await subject.server.commands())];
    for (const [name, { calls, micros }] of commands.sort((a, b) => b[1].micros - a[1].micros)) {
      if (calls < turns / 2) continue;
      const times = (calls / turns).toFixed(2).padStart(7);
      console.log(`${times} times ${duration((micros * 1e3) / turns).padStart(9)}  ${name}`);
    }
    return taken;
  } finally {
    await subject.stop();
  }
}
