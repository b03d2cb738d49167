import { setTimeout } from 'node:timers/promises';
import { localSubject, type SubjectOptions } from './local-subject.ts';
import type { Measure, Subject } from './subject.ts';

/** What this process is asked; it answers each request with a figure, or with why there is none. */
export type Request =
  | { readonly start: SubjectOptions }
  | { readonly measure: Measure; readonly count: number };
export type Answer = { readonly figure: number } | { readonly error: string };

/** The garbage of the filling is swept by threads of their own; their time is nobody's cost. */
const sweepMs = 500;

let subject: Subject | undefined;

async function answer(request: Request): Promise<number> {
  if ('start' in request) {
    subject = await localSubject(request.start);
    globalThis.gc?.();
    await setTimeout(sweepMs);
    return 0;
  }
  if (subject === undefined) throw new Error('There is nothing to measure yet.');
  return subject.measure(request.measure, request.count);
}

process.on('message', async (request: Request) => {
  let reply: Answer;
  try {
    reply = { figure: await answer(request) };
  } catch (error) {
    reply = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  process.send?.(reply);
});
