import { describe, expect, it } from 'vitest';
import { fakeStorage } from '../testing/fake-storage.ts';
import { createSessionId, SESSION_KEY } from './session-id.ts';

describe('createSessionId', () => {
  it('follows what another tab writes', () => {
    const storage = fakeStorage();
    const session = createSessionId(storage);
    session.write('s-1');
    expect(session.read()).toBe('s-1');
    storage.values.set(SESSION_KEY, 's-2');
    expect(session.read()).toBe('s-2');
    storage.values.delete(SESSION_KEY);
    expect(session.read()).toBeNull();
  });

  it('does not believe an id that the server cannot have issued', () => {
    const storage = fakeStorage();
    for (const id of ['', 'a/b', 'a b', '../x', 'x'.repeat(256)]) {
      storage.values.set(SESSION_KEY, id);
      expect(createSessionId(storage).read()).toBeNull();
    }
  });

  it('lasts as long as the page where storage is absent or refused', () => {
    const refuse = () => {
      throw new Error('refused');
    };
    const refusing = { getItem: refuse, setItem: refuse, removeItem: refuse };
    for (const storage of [null, refusing]) {
      const session = createSessionId(storage);
      expect(session.read()).toBeNull();
      session.write('s-1');
      expect(session.read()).toBe('s-1');
      session.clear('s-1');
      expect(session.read()).toBeNull();
    }
  });

  it('forgets an id that a full storage could not take', () => {
    const storage = fakeStorage();
    storage.setItem = () => {
      throw new Error('full');
    };
    const session = createSessionId(storage);
    session.write('s-1');
    expect(session.read()).toBe('s-1');
    session.clear('s-1');
    expect(session.read()).toBeNull();
  });
});
