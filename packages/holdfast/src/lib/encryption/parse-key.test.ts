import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors/errors.ts';
import { generateKey, parseKey } from './parse-key.ts';

/** Random at its time, and the same in every run. */
const bytes = Buffer.from(
  '9c1f0b7ad4e25386b1c07f3e6a94d8155e2bf0c7739a41de86250dbb17ce6af9a34d91c60e58bb72f3187d2c40e96a05',
  'hex',
);
const key = bytes.subarray(0, 32);

describe('a key', () => {
  it.each<readonly [string, string, Buffer]>([
    ['a Fernet key', `${key.toString('base64url')}=`, key],
    ['base64', key.toString('base64'), key],
    ['base64url without padding', key.toString('base64url'), key],
    ['64 hex characters', key.toString('hex'), key],
    ['the same in capitals', key.toString('hex').toUpperCase(), key],
    ['base64 of 33 bytes', bytes.toString('base64', 0, 33), bytes.subarray(0, 33)],
    ['base64 of 48 bytes, 64 characters', bytes.toString('base64'), bytes],
    ['base64url of 34 bytes', bytes.toString('base64url', 0, 34), bytes.subarray(0, 34)],
    ['hex of 48 bytes', bytes.toString('hex'), bytes],
    ['with white space around it', `\n  ${key.toString('hex')}\r\n`, key],
  ])('may be %s', (_, text, expected) => {
    expect(parseKey(text)).toEqual(expected);
  });

  it('that is generated is one of 32 bytes, and another each time', () => {
    const keys = new Set(Array.from({ length: 1_000 }, generateKey));
    expect(keys.size).toBe(1_000);
    for (const text of keys) {
      expect(text).toMatch(/^[A-Za-z0-9_-]{43}=$/);
      expect(parseKey(text)).toHaveLength(32);
    }
  });

  const counting = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
  const sentences: readonly (readonly [string, string, string])[] = [
    ['nothing', '', 'is empty'],
    ['blanks', ' \n', 'is empty'],
    ['quoted', `"${key.toString('hex')}"`, 'has quotes in it'],
    ['quoted singly', `'${key.toString('base64')}'`, 'has quotes in it'],
    ['two in one', `${key.toString('hex')} ${bytes.toString('hex', 16)}`, 'has white space in it'],
    ['16 bytes of hex', key.toString('hex', 0, 16), 'is too short: it has 16 bytes'],
    ['31 bytes of hex', key.toString('hex', 0, 31), 'is too short: it has 31 bytes'],
    ['31 bytes of base64', key.toString('base64', 0, 31), 'is too short: it has 31 bytes'],
    ['hex less a character', key.toString('hex').slice(1), 'is hex of 63 characters, an odd'],
    ['a percent sign', `%${key.toString('base64url')}`, 'has characters that neither'],
    ['both alphabets', `-+${key.toString('base64url')}A`, 'mixes base64 and base64url'],
    ['padding inside', `AB==${key.toString('base64url')}`, 'has the sign = before its end'],
    ['a padding too much', `${key.toString('base64url')}==`, 'has the wrong number of ='],
    [
      'another last character',
      `${key.toString('base64url').slice(0, -1)}l`,
      'is no complete base64',
    ],
    ['45 characters', `${key.toString('base64url')}AA`, 'is no complete base64'],
    ['zeros', '0'.repeat(64), 'is weak: all its bytes are the same'],
    ['one character of base64', `${'A'.repeat(43)}=`, 'is weak: all its bytes are the same'],
    ['bytes that count', counting.toString('hex'), 'is weak: its bytes only count'],
    ['a pattern', 'deadbeef'.repeat(8), 'is weak: it repeats a short pattern'],
    ['a half twice', key.toString('hex', 0, 16).repeat(2), 'is weak: it repeats'],
    [
      'a pass phrase, encoded',
      Buffer.from('correct horse battery staple, correct').toString('base64'),
      'is weak: it is a pass phrase in ASCII',
    ],
    [
      'a placeholder',
      'change-me-change-me-Change-me-0123456789-ABC',
      'is weak: it reads like a pass phrase or a placeholder',
    ],
    [
      'words',
      'correct-horse-battery-staple-is-no-key-at-00',
      'is weak: it reads like a pass phrase or a placeholder',
    ],
  ];

  it.each(sentences)('is refused: %s', (_, text, sentence) => {
    const parse = () => parseKey(text, 'Key 2 of 3');
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(`Key 2 of 3 ${sentence}`);
    expect(parse).toThrow(/\. Make one with: npx holdfast keygen\. /);
    const shown = text.trim().replace(/["']/g, '');
    if (shown.length > 4) expect(parse).not.toThrow(shown);
  });

  it('is never refused because it is random', () => {
    for (let index = 0; index < 5_000; index += 1) {
      const random = randomBytes(32 + (index % 17));
      for (const encoding of ['base64', 'base64url', 'hex'] as const) {
        expect(parseKey(random.toString(encoding))).toEqual(random);
      }
    }
  });
});
