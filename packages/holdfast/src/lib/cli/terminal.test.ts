import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { widthOf } from './terminal.ts';

it.each([
  ['a terminal takes its columns', { isTTY: true, columns: 132 }, 132],
  ['one that does not know how wide it is takes 80', { isTTY: true, columns: 0 }, 80],
  ['a file takes any', {}, Number.POSITIVE_INFINITY],
])('%s', (_title, terminal, width) => {
  expect(widthOf({ out: Object.assign(new PassThrough(), terminal) })).toBe(width);
});
