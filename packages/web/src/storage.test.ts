import { describe, expect, it } from 'vitest';
import { keptIn } from './storage.ts';
import { fakeStorage } from './testing/fake-storage.ts';

describe('what is kept', () => {
  it('is what was written last, for the next page', () => {
    const storage = fakeStorage();
    const kept = keptIn(storage, 'draft');
    expect(kept.read()).toBeUndefined();
    kept.write({ text: 'Hello' });
    expect(keptIn(storage, 'draft').read()).toEqual({ text: 'Hello' });
    expect(keptIn(storage, 'other').read()).toBeUndefined();
    kept.write(null);
    expect(storage.values.size).toBe(0);
  });

  it('is nothing older where there is no room for it, and again something once there is', () => {
    const storage = fakeStorage();
    const { setItem } = storage;
    storage.setItem = (name, text) => {
      if (text.length > 100) throw new Error('no room');
      setItem(name, text);
    };
    const kept = keptIn(storage, 'draft');
    kept.write({ text: 'Hello' });
    kept.write({ text: 'Hello'.repeat(100) });
    expect(kept.read()).toBeUndefined();
    kept.write({ text: 'Hello' });
    expect(kept.read()).toEqual({ text: 'Hello' });
  });
});
