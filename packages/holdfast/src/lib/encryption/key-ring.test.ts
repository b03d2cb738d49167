import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors/errors.ts';
import { KeyRing } from './key-ring.ts';
import { generateKey } from './parse-key.ts';

const [one, two, three] = [generateKey(), generateKey(), generateKey()];

describe('KeyRing', () => {
  it('writes with the first key and finds all by their ids', () => {
    const ring = KeyRing.parse(`${one}, ${two}`);
    const [first, second] = ring.keys;
    expect(ring.primary).toBe(first);
    expect(ring.find(second?.id ?? '')).toBe(second);
    expect(ring.find('00000000')).toBeUndefined();
    expect(KeyRing.parse(`${two},${one}`).primary.id).toBe(second?.id);
    expect(first.id).toMatch(/^[0-9a-f]{8}$/);
  });

  it('derives another key for each purpose, and the same one again', () => {
    const { primary } = KeyRing.parse(one);
    expect(primary.derive('a', 'b')).toEqual(KeyRing.parse(one).primary.derive('a', 'b'));
    const keys = [['a', 'b'], ['ab'], ['a'], ['b', 'a'], ['a', 'b', '']].map((purpose) =>
      primary.derive(...purpose).toString('hex'),
    );
    expect(new Set([...keys, KeyRing.parse(two).primary.derive('a').toString('hex')]).size).toBe(6);
    expect(primary.derive('a')).toHaveLength(32);
  });

  it('keeps so many derived keys, and makes the others again', () => {
    const { primary } = KeyRing.parse(one, { derivedKeys: 2 });
    const first = primary.derive('0');
    expect(primary.derive('0')).toBe(first);
    for (let n = 1; n <= 2; n++) primary.derive(String(n));
    expect(primary.derive('0')).not.toBe(first);
    expect(primary.derive('0')).toEqual(first);
  });

  it('takes other keys in place', () => {
    const ring = KeyRing.parse(one);
    const { id } = ring.primary;
    ring.replace(`${two},${one}`);
    expect(ring.primary.id).not.toBe(id);
    expect(ring.find(id)).toBeDefined();
    ring.replace(two);
    expect(ring.find(id)).toBeUndefined();
  });

  it('stays as it was when the other keys are wrong', () => {
    const ring = KeyRing.parse(one);
    const { primary } = ring;
    expect(() => ring.replace(`${two},c2hvcnQ=`)).toThrow('Encryption key 2 of 2 has 5 bytes');
    expect(ring.primary).toBe(primary);
  });

  it('refuses a key that is there twice, in whatever form', () => {
    expect(() => KeyRing.parse(`${one},${two},${one}`)).toThrow(
      'Encryption key 3 of 3 is key 1 once more',
    );
    expect(() => KeyRing.parse(`${one},${Buffer.from(one, 'base64url').toString('hex')}`)).toThrow(
      ConfigError,
    );
  });

  it('shows nothing of its keys', () => {
    const ring = KeyRing.parse(`${one},${two}`);
    const shown = [
      inspect(ring, { depth: 9, showHidden: true }),
      JSON.stringify(ring),
      String(ring),
    ];
    for (const key of [one, two, three]) {
      for (const form of [key, Buffer.from(key, 'base64url').toString('hex')]) {
        expect(shown.join()).not.toContain(form);
      }
    }
    const inside = inspect(ring.primary, { depth: 9, showHidden: true });
    expect(inside).not.toMatch(/Buffer|[0-9a-f]{2} [0-9a-f]{2} /);
  });
});
