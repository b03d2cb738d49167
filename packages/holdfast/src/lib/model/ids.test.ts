import { describe, expect, it } from 'vitest';
import { ValidationError } from '../errors/errors.ts';
import { assertId, randomId } from './ids.ts';

describe('assertId', () => {
  it.each(['a', '0', '.', '_', ':', '@', '-', 'user-1@example.com:tab_2.0', 'x'.repeat(255)])(
    'takes %s',
    (id) => {
      expect(() => assertId(id, 'id')).not.toThrow();
    },
  );

  it.each([
    ['', 'an empty string'],
    ['a b', '"a b"'],
    ['a/b', '"a/b"'],
    ['a\n', '"a\\n"'],
    ['a\0', '"a\\u0000"'],
    ['{a}', '"{a}"'],
    ['é', '"é"'],
    ['Ａ', '"Ａ"'],
    ['x'.repeat(256), 'a string of 256 characters'],
    [null, 'null'],
    [undefined, 'a value of type undefined'],
    [7, 'a value of type number'],
    [['a'], 'a value of type object'],
  ])('refuses %j and shows it in few words', (id, shown) => {
    expect(() => assertId(id, 'A session id')).toThrow(ValidationError);
    expect(() => assertId(id, 'A session id')).toThrow(
      `A session id must be 1 to 255 characters of A-Z a-z 0-9 . _ : @ -, not ${shown}.`,
    );
  });
});

describe('randomId', () => {
  it('makes ids of 24 characters, each another', () => {
    const ids = Array.from({ length: 1_000 }, randomId);
    for (const id of ids) {
      expect(id).toMatch(/^[A-Za-z0-9_-]{24}$/);
      assertId(id, 'id');
    }
    expect(new Set(ids).size).toBe(ids.length);
  });
});
