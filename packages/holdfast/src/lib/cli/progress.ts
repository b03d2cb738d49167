import { progress as progressBar } from '@clack/prompts';
import type { Terminal } from './terminal.ts';
import { count } from './text.ts';

/** How far a command has come. */
export interface Progress {
  update(done: number, total: number): void;
  end(): void;
}

const lines = 10;

/** A bar where somebody watches; else a line for each tenth of the sessions. */
export function showProgress(title: string, { out }: Pick<Terminal, 'out'>): Progress {
  let shown = 0;
  if (out.isTTY) {
    const bar = progressBar({ output: out, max: 1_000 });
    bar.start(title);
    return {
      update(done, total) {
        const now = Math.floor((done / Math.max(total, 1)) * 1_000);
        bar.advance(now - shown, `${count(done)} of ${count(total)} sessions`);
        shown = now;
      },
      end: () => bar.stop(title),
    };
  }
  return {
    update(done, total) {
      const now = Math.floor((done / Math.max(total, 1)) * lines);
      if (now > shown) out.write(`${count(done)} of ${count(total)} sessions\n`);
      shown = now;
    },
    end() {},
  };
}
