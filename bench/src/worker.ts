import { setTimeout } from 'node:timers/promises';
import type { Figures } from './figures.ts';
import { localSubject } from './local-subject.ts';
import { remoteSubject } from './remote-subject.ts';
import type { Subject } from './subject.ts';
import type { Answer, Request } from './worker-messages.ts';

/** The garbage of the filling is swept by threads of their own; their time is nobody's cost. */
const sweepMs = 500;

let subject: Subject | undefined;

async function answer(request: Request): Promise<Figures> {
  if ('start' in request) {
    subject = await localSubject(request.start, remoteSubject);
    globalThis.gc?.();
    await setTimeout(sweepMs);
    return {};
  }
  if (subject === undefined) throw new Error('There is nothing to measure yet.');
  if ('stop' in request) {
    await subject.stop();
    return {};
  }
  return subject.measure(request.measure, request.count);
}

process.on('message', async (request: Request) => {
  let reply: Answer;
  try {
    reply = { figures: await answer(request) };
  } catch (error) {
    reply = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  process.send?.(reply);
});

// Whoever asked has ended; what this process has started ends with it.
process.on('disconnect', () => process.exit());
