import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './helpers/repository.ts';

const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');
const rows = [...read('docs/security.md').matchAll(/^\| (7\.\d\.\d) \| .+ \| (.+) \|$/gm)].map(
  ([, number = '', shown = '']) => [number, shown] as const,
);

describe('the table of ASVS V7', () => {
  it('has all of its lines', () => {
    expect(rows.map(([number]) => number)).toEqual([
      ...['7.1.1', '7.1.2', '7.1.3', '7.2.1', '7.2.2', '7.2.3', '7.2.4', '7.3.1', '7.3.2'],
      ...['7.4.1', '7.4.2', '7.4.3', '7.4.4', '7.4.5'],
      ...['7.5.1', '7.5.2', '7.5.3', '7.6.1', '7.6.2'],
    ]);
  });

  it.each(rows)('%s names tests that there are, or a reason', (_, shown) => {
    if (shown.startsWith('out of scope: ')) return expect(shown.length).toBeGreaterThan(30);
    for (const each of shown.split('<br>')) {
      const [, path = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(each) ?? [];
      // As the whole title of a case that is not skipped.
      const quoted = title.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
      expect(read(path)).toMatch(
        new RegExp(`(?:\\bit|\\.case|[\\])])\\(\\s*(['"\`])${quoted}\\1,`),
      );
    }
  });
});
