import { createCipheriv, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { open, seal, tagBytes } from './aes-gcm.ts';
import { nonceBytes } from './nonces.ts';
import vectors from './vectors/nist-gcm-decrypt-256.json' with { type: 'json' };

const hex = (text: string | null | undefined) => Buffer.from(text ?? '', 'hex');
const none = Buffer.alloc(0);

describe('AES-256-GCM', () => {
  it("decrypts NIST's vectors, and refuses those that must fail", () => {
    let refused = 0;
    for (const [key, iv, ciphertext, aad, tag, plaintext] of vectors.rows) {
      const sealed = Buffer.concat([hex(iv), hex(ciphertext), hex(tag)]);
      const opened = open(hex(key), sealed, 0, hex(aad));
      expect(opened?.toString('hex') ?? null).toBe(plaintext);
      if (opened === null) refused += 1;
    }
    expect(vectors.rows.length).toBe(375);
    expect(refused).toBeGreaterThan(100);
  });

  it('opens what it sealed, whatever its length', () => {
    const key = randomBytes(32);
    const [head, aad] = [Buffer.from('head'), Buffer.from('aad')];
    for (const text of ['', 'a', 'ü€😀', 'x'.repeat(15), 'x'.repeat(16), 'y'.repeat(100_000)]) {
      const sealed = seal(key, head, text, aad);
      expect(sealed.subarray(0, 4)).toEqual(head);
      expect(sealed.length).toBe(4 + nonceBytes + Buffer.byteLength(text) + tagBytes);
      expect(open(key, sealed, 4, aad)?.toString()).toBe(text);
    }
  });

  it('refuses a change of any byte, another key and another aad', () => {
    const key = randomBytes(32);
    const aad = Buffer.from('place');
    const sealed = seal(key, none, 'attack at dawn', aad);
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(open(key, changed, 0, aad)).toBeNull();
    }
    expect(open(randomBytes(32), sealed, 0, aad)).toBeNull();
    expect(open(key, sealed, 0, Buffer.from('plac'))).toBeNull();
    for (let length = 0; length < sealed.length; length++) {
      expect(open(key, sealed.subarray(0, length), 0, aad)).toBeNull();
    }
  });

  it.each([4, 8, 12, 13, 14, 15])('takes no tag of %i bytes', (length) => {
    const key = randomBytes(32);
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: length });
    const text = Buffer.concat([cipher.update('attack at dawn'), cipher.final()]);
    const short = Buffer.concat([nonce, text, cipher.getAuthTag()]);
    expect(open(key, short, 0, none)).toBeNull();
  });
});
