import { describe, expect, it } from 'vitest';
import { fakeStorage } from '../testing/fake-storage.ts';
import { outgoing } from './outgoing.ts';
import { createTabMemory } from './tab-memory.ts';

const state = { seen: 7, outgoing: [outgoing('key-1', 'Hello', { afterSeq: 3 })] };

describe('createTabMemory', () => {
  it('gives back what it was given, for the same session only', () => {
    const storage = fakeStorage();
    createTabMemory(storage).write('s-1', state);
    const memory = createTabMemory(storage);
    expect(memory.read('s-1')).toMatchObject({
      seen: 7,
      outgoing: [{ key: 'key-1', text: 'Hello', afterSeq: 3, interrupted: true }],
    });
    expect(memory.read('s-2')).toEqual({ seen: 0, outgoing: [] });
    expect(memory.read(null)).toEqual({ seen: 0, outgoing: [] });
  });

  it('takes what it cannot read for nothing', () => {
    const storage = fakeStorage();
    const torn = { session: 's-1', seen: 'x', outgoing: [7, { key: '', text: 'a' }, { key: 'b' }] };
    for (const text of ['', '{', 'null', '[]', JSON.stringify(torn)]) {
      storage.values.set('holdfast.tab', text);
      expect(createTabMemory(storage).read('s-1')).toEqual({ seen: 0, outgoing: [] });
    }
  });

  it('forgets where storage is absent or refused', () => {
    const refuse = () => {
      throw new Error('refused');
    };
    for (const storage of [null, { getItem: refuse, setItem: refuse, removeItem: refuse }]) {
      const memory = createTabMemory(storage);
      memory.write('s-1', state);
      expect(memory.read('s-1')).toEqual({ seen: 0, outgoing: [] });
    }
  });
});
