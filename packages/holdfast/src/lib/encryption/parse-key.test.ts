import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors/errors.ts';
import { fernet } from './fernet.ts';
import { generateKey, parseKey } from './parse-key.ts';

const strong = Buffer.from(
  '8f1d0c93b7a24e56f0e1d2c3b4a5968778695a4b3c2d1e0f00ff11ee22dd33cc',
  'hex',
);

describe('parseKey', () => {
  it.each([
    ['a Fernet key', `${strong.toString('base64url')}=`],
    ['base64url without padding', strong.toString('base64url')],
    ['base64', strong.toString('base64')],
    ['hexadecimal', strong.toString('hex')],
    ['hexadecimal in capitals', strong.toString('hex').toUpperCase()],
  ])('reads %s', (_, text) => {
    expect(parseKey(text)).toEqual(strong);
  });

  it('reads 48 bytes in 64 characters of base64, and more', () => {
    for (const length of [33, 48, 64, 100]) {
      const bytes = randomBytes(length);
      expect(parseKey(bytes.toString('base64'))).toEqual(bytes);
    }
  });

  it('reads what the generators make', () => {
    expect(parseKey(generateKey())).toHaveLength(32);
    expect(parseKey(fernet.generateKey())).toHaveLength(32);
    expect(generateKey()).not.toBe(generateKey());
  });

  const pattern = Buffer.alloc(32, strong.subarray(0, 8));
  const long = strong.toString('base64url');
  it.each([
    ['', 'is empty'],
    [`"${long}"`, 'is in quotation marks'],
    [`'${long}'`, 'is in quotation marks'],
    [`${long} `, 'has white space in it'],
    [`${long.slice(0, 20)}\n${long.slice(20)}`, 'has white space in it'],
    [strong.toString('hex').slice(1), 'has 63 hexadecimal characters, an odd number'],
    [strong.toString('hex').slice(2), 'has 62 hexadecimal characters, and needs 64'],
    [`${strong.toString('hex')}00`, 'has 66 hexadecimal characters, and needs 64'],
    [`+${long.slice(1, -1)}-`, 'mixes the characters'],
    ['correct horse battery staple'.replaceAll(' ', '.'), 'is neither base64 nor hexadecimal'],
    [`${long}===`, 'has the wrong number of "="'],
    [`${long}xx`, 'was cut'],
    [randomBytes(31).toString('base64'), 'has 31 bytes, and needs 32 or more'],
    ['c2hvcnQ=', 'has 5 bytes, and needs 32 or more'],
    [`${long.slice(0, -1)}N`, 'was changed at its end'],
    [Buffer.alloc(32).toString('hex'), 'is one byte again and again'],
    [pattern.toString('base64url'), 'repeats a pattern'],
    [Buffer.from(Array.from({ length: 32 }, (_, at) => at)).toString('hex'), 'only counts up'],
    [Buffer.from('change-me-change-me-change-me-ok').toString('base64'), 'is text in base64'],
  ])('refuses %j', (text, why) => {
    const parsing = () => parseKey(text);
    expect(parsing).toThrow(ConfigError);
    expect(parsing).toThrow(`The key ${why}`);
    expect(parsing).toThrow('Make one with: node -e');
    if (text.length > 8) expect(parsing).not.toThrow(text);
  });
});
