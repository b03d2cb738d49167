import type { Terminal } from './terminal.ts';
import { count } from './text.ts';

/** How far a command has come. */
export interface Progress {
  update(done: number, total: number): void;
  end(): void;
}

const lines = 10;
const barWidth = 30;

/** A bar where somebody watches; else a line for each tenth of the sessions. Input is left alone: Ctrl-C is a signal. */
export function showProgress(title: string, { out }: Pick<Terminal, 'out'>): Progress {
  const text = (done: number, total: number) => `${count(done)} of ${count(total)} sessions`;
  if (out.isTTY) {
    const draw = (done: number, total: number) => {
      const full = Math.round((done / Math.max(total, 1)) * barWidth);
      const bar = '█'.repeat(full) + '░'.repeat(barWidth - full);
      out.write(`\r\x1b[K${title} ${bar} ${text(done, total)}`);
    };
    draw(0, 0);
    return { update: draw, end: () => out.write('\n') };
  }
  let shown = 0;
  return {
    update(done, total) {
      const now = Math.floor((done / Math.max(total, 1)) * lines);
      if (now > shown) out.write(`${text(done, total)}\n`);
      shown = now;
    },
    end() {},
  };
}
