import { describe, expect, it } from 'vitest';
import { KeyRing } from './key-ring.ts';
import { generateKey } from './parse-key.ts';
import { Subkeys } from './subkeys.ts';

const ring = KeyRing.parse(`${generateKey()},${generateKey()}`);
const [one, two] = ring.keys as [(typeof ring)['primary'], (typeof ring)['primary']];

/** As hex, and how many were derived. */
function subkeys(use: string, namespace: string, size: number) {
  const derived: string[] = [];
  const all = new Subkeys(use, namespace, size, (bytes) => {
    derived.push(bytes.toString('hex'));
    return bytes.toString('hex');
  });
  const of = (key: typeof one, sessionId: string, incarnation = '1') =>
    all.of(key, { sessionId, incarnation, kind: 'state', position: 1 });
  return { of, derived };
}

describe('the key of a session', () => {
  it('is its own: of the use, the namespace, the ring’s key, the session and the incarnation', () => {
    const { of } = subkeys('a', 'n', 10);
    const keys = [
      of(one, 's'),
      of(two, 's'),
      of(one, 't'),
      of(one, 's', '2'),
      of(one, 's1', ''),
      of(one, 's","1', ''),
      subkeys('b', 'n', 10).of(one, 's'),
      subkeys('a', 'm', 10).of(one, 's'),
      subkeys('a', 'n\0', 10).of(one, 's'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(subkeys('a', 'n', 10).of(one, 's')).toBe(keys[0]);
    expect(keys.every((key) => key.length === 64)).toBe(true);
  });

  it('is derived once, for the last sessions used and their last incarnations', () => {
    const { of, derived } = subkeys('a', 'n', 2);
    const used = (...ids: string[]) => {
      for (const id of ids) of(one, id);
      return derived.length;
    };
    expect(used('s', 's', 's')).toBe(1);
    expect(used('t', 's', 't')).toBe(2);
    expect(used('u')).toBe(3); // in the place of s
    expect(used('t', 'u')).toBe(3);
    expect(used('s')).toBe(4);
    const before = of(one, 's');
    expect(of(one, 's', '2')).not.toBe(before);
    expect(of(one, 's', '2')).not.toBe(before);
    expect(derived).toHaveLength(5);
    expect(of(one, 's')).toBe(before);
    expect(derived).toHaveLength(6);
  });

  it('is kept for each key of the ring, by itself', () => {
    const { of, derived } = subkeys('a', 'n', 1);
    const first = [of(one, 's'), of(two, 's')];
    expect([of(one, 's'), of(two, 's')]).toEqual(first);
    expect(derived).toHaveLength(2);
  });

  it('is forgotten with a key that left the ring', () => {
    const [a, b] = [generateKey(), generateKey()];
    const turning = KeyRing.parse(`${a},${b}`);
    const { of, derived } = subkeys('a', 'n', 10);
    for (const key of turning.keys) of(key, 's');
    turning.replace(b);
    of(turning.primary, 's');
    expect(derived).toHaveLength(2);
    turning.replace(`${a},${b}`);
    for (const key of turning.keys) of(key, 's');
    expect(derived).toHaveLength(3);
    expect(derived[2]).toBe(derived[0]);
  });
});
