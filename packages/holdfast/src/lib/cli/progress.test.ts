import { describe, expect, it } from 'vitest';
import { showProgress } from './progress.ts';
import type { Terminal } from './terminal.ts';

/** What was shown of a run over 1,000 sessions, in batches of 40. */
function shown(isTTY: boolean): string {
  let written = '';
  const out = { isTTY, write: (text: string) => (written += text) };
  const progress = showProgress('Encrypting', { out: out as unknown as Terminal['out'] });
  for (let done = 40; done <= 1_000; done += 40) progress.update(done, 1_000);
  progress.end();
  return written;
}

describe('how far a command has come', () => {
  it('is a bar where somebody watches, drawn over itself until it is full', () => {
    const [first = '', ...draws] = shown(true).split('\r\x1b[K').slice(1);
    expect(first).toBe(`Encrypting ${'░'.repeat(30)} 0 of 0 sessions`);
    expect(draws).toHaveLength(25);
    expect(draws[11]).toBe(`Encrypting ${'█'.repeat(14)}${'░'.repeat(16)} 480 of 1,000 sessions`);
    expect(draws.at(-1)).toBe(`Encrypting ${'█'.repeat(30)} 1,000 of 1,000 sessions\n`);
  });

  it('is a line for each tenth elsewhere', () => {
    const lines = shown(false).trimEnd().split('\n');
    expect(lines).toHaveLength(10);
    expect(lines[0]).toBe('120 of 1,000 sessions');
    expect(lines.at(-1)).toBe('1,000 of 1,000 sessions');
  });
});
