import { createSecretKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { open, seal } from './aes-gcm.ts';

type Row = readonly [
  key: string,
  nonce: string,
  aad: string,
  ciphertext: string,
  tag: string,
  plaintext: string | null,
];

/** The first line says where they are from. */
const [, ...lines] = readFileSync(new URL('./vectors/aes-256-gcm.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n');
const vectors = lines.map((line) => {
  const [key, nonce, aad, ciphertext, tag, plaintext] = JSON.parse(line) as Row;
  const bytes = (text: string) => Buffer.from(text, 'base64');
  return {
    key: createSecretKey(bytes(key)),
    nonce: bytes(nonce),
    aad: bytes(aad),
    ciphertext: bytes(ciphertext),
    tag: bytes(tag),
    plaintext: plaintext === null ? null : bytes(plaintext),
  };
});
const whole = vectors.filter(({ tag }) => tag.length === 16);
const right = whole.filter(({ plaintext }) => plaintext !== null);
const wrong = whole.filter(({ plaintext }) => plaintext === null);
const short = vectors.filter(({ tag }) => tag.length < 16);

describe('AES-256-GCM, by the vectors of NIST', () => {
  it('has so many', () => {
    expect([right.length, wrong.length, short.length]).toEqual([184, 191, 49]);
  });

  it('opens what is right', () => {
    for (const { key, nonce, aad, ciphertext, tag, plaintext } of right) {
      expect(open(key, nonce, aad, ciphertext, tag)).toEqual(plaintext);
    }
  });

  it('refuses what is wrong', () => {
    for (const { key, nonce, aad, ciphertext, tag } of wrong) {
      expect(() => open(key, nonce, aad, ciphertext, tag)).toThrow(/unable to authenticate/);
    }
  });

  it('refuses what is right, with a shorter tag', () => {
    expect([...new Set(short.map(({ tag }) => tag.length))].sort()).toEqual([12, 13, 14, 15, 4, 8]);
    for (const { key, nonce, aad, ciphertext, tag } of short) {
      expect(() => open(key, nonce, aad, ciphertext, tag)).toThrow(/Invalid authentication tag/);
    }
    for (const { key, nonce, aad, ciphertext, tag } of right) {
      for (const length of [0, 4, 8, 12, 15]) {
        expect(() => open(key, nonce, aad, ciphertext, tag.subarray(0, length))).toThrow();
      }
    }
  });

  it('seals to the same bytes, with room in front', () => {
    for (const { key, nonce, aad, ciphertext, tag, plaintext } of right) {
      const expected = Buffer.concat([ciphertext, tag]);
      expect(seal(key, nonce, aad, plaintext ?? '')).toEqual(expected);
      expect(seal(key, nonce, aad, plaintext ?? '', 17).subarray(17)).toEqual(expected);
    }
  });

  it('takes text as UTF-8', () => {
    const [{ key, nonce, aad }] = right as [(typeof right)[0]];
    const text = 'größer 💬';
    expect(seal(key, nonce, aad, text)).toEqual(seal(key, nonce, aad, Buffer.from(text)));
  });
});
