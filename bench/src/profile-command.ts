import type { Profiler } from 'node:inspector/promises';
import { duration } from './figures.ts';
import { localSubject } from './local-subject.ts';
import { SessionsSubject } from './memory/sessions-subject.ts';
import { profileOf, saveProfile, selfTimes } from './profile.ts';
import { stateBytes } from './redis/sample-sessions.ts';
import { TurnsSubject } from './redis/turns-subject.ts';
import { AnswersSubject, freePort } from './server/answers-subject.ts';
import { timesByPart } from './server/parts.ts';
import { RemoteProfiler } from './server/remote-profiler.ts';

const shownFunctions = 40;

/** Prints where the time of an answer goes that is streamed from memory. @returns the file with all of it */
export async function profileAnswers(main: string, answers: number): Promise<URL> {
  const inspectorPort = await freePort();
  const subject = await AnswersSubject.create(
    { store: 'in_memory', main, sessions: 200, atOnce: 50, inspectorPort },
    localSubject,
  );
  try {
    const profiler = await RemoteProfiler.connect(inspectorPort);
    await subject.measure('answers', answers); // until it is compiled
    const taken = await profiler.during(() => subject.measure('answers', answers));
    profiler.close();
    const parts = timesByPart(taken, answers);
    const all = parts.reduce((sum, [, time]) => sum + time, 0);
    console.log(`A streamed answer takes ${duration(all)}, profiler included:`);
    for (const [part, time] of parts.slice(0, shownFunctions)) {
      console.log(shareOf(part, time, all));
    }
    return await saveProfile(taken, new URL('../.cache/', import.meta.url));
  } finally {
    await subject.stop();
  }
}

/** Prints where the time of a plain turn goes. @returns the file with all of it */
export async function profile(store: 'memory' | 'redis', turns: number): Promise<URL> {
  const taken = await (store === 'memory' ? profileMemory(turns) : profileRedis(turns));
  const functions = selfTimes(taken, turns);
  const all = functions.reduce((sum, { selfTime }) => sum + selfTime, 0);
  console.log(`A plain turn takes ${duration(all)}, profiler included:`);
  for (const { name, selfTime } of functions.slice(0, shownFunctions)) {
    console.log(shareOf(name, selfTime, all));
  }
  return saveProfile(taken, new URL('../.cache/', import.meta.url));
}

function shareOf(name: string, time: number, all: number): string {
  const percent = `${((time / all) * 100).toFixed(1)} %`;
  return `${percent.padStart(7)} ${duration(time).padStart(9)}  ${name}`;
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
  const subject = await TurnsSubject.create({ sessions: 200, atOnce: 50, stateBytes });
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
