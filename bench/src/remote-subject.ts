import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Figures } from './figures.ts';
import type { SubjectOptions } from './local-subject.ts';
import type { Subject } from './subject.ts';
import type { Answer, Request } from './worker-messages.ts';

/**
 * A subject in a process of its own. In one process a large store would slow the small one that it
 * is compared with: they would share its garbage collection.
 */
export async function remoteSubject(options: SubjectOptions): Promise<Subject> {
  const worker = fileURLToPath(new URL('./worker.js', import.meta.url));
  const child = fork(worker, { execArgv: flagsFor(options) });
  const ended = once(child, 'exit').then(([code, signal]): never => {
    throw new Error(`A process that measured has ended (${signal ?? code}).`);
  });
  ended.catch(() => {}); // it is raced below, or the process was stopped

  const ask = async (request: Request): Promise<Figures> => {
    const reply = once(child, 'message') as Promise<[Answer]>;
    child.send(request);
    const [answer] = await Promise.race([reply, ended]);
    if ('error' in answer) throw new Error(answer.error);
    return answer.figures;
  };

  await ask({ start: options });
  return {
    measure: (measure, count) => ask({ measure, count }),
    stop: async () => {
      try {
        if (child.connected) await ask({ stop: true });
      } finally {
        child.kill();
        await ended.catch(() => {});
      }
    },
  };
}

function flagsFor(options: SubjectOptions): string[] {
  const flags = ['--expose-gc', '--max-old-space-size=8192'];
  if (options.kind === 'sessions' && options.youngMegabytes !== undefined) {
    flags.push(`--max-semi-space-size=${options.youngMegabytes}`);
  }
  return flags;
}
