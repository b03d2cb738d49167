import { describe, expect, it } from 'vitest';
import { RecentWrites } from './recent-writes.ts';

describe('RecentWrites', () => {
  it('has the result of a write, and nothing of another', () => {
    const writes = new RecentWrites();
    const result = { version: 2 };
    writes.add('update:n1', result);
    expect(writes.get('update:n1')).toBe(result);
    expect(writes.get('commit:n1')).toBeUndefined();
    expect(writes.get('update:n2')).toBeUndefined();
  });

  it('keeps the last four', () => {
    const writes = new RecentWrites();
    const names = Array.from({ length: 100 }, (_, index) => `update:${index}`);
    for (const name of names) writes.add(name, name);
    expect(names.filter((name) => writes.get(name) === name)).toEqual(names.slice(-4));
  });
});
