import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError, DecryptionError, ValidationError } from '../errors/errors.ts';
import { fernet } from './fernet.ts';

interface Vector {
  readonly desc: string;
  readonly token: string;
  readonly now: string;
  readonly ttl_sec: number;
  readonly secret: string;
  readonly src: string;
  readonly iv: readonly number[];
}

const vectors: Readonly<Record<'generate' | 'verify' | 'invalid', readonly Vector[]>> = JSON.parse(
  readFileSync(new URL('./vectors/fernet.json', import.meta.url), 'utf8'),
);
const secondsOf = ({ now }: Vector) => Date.parse(now) / 1000;

const key = fernet.generateKey();
const text = Buffer.from('Meet me at noon.');
const made = 1_800_000_000;
const token = fernet.encrypt(key, text, { now: made });
const atItsTime = { now: made };

/** What a careless or hostile holder of the key could sign. */
function signed(parts: { version?: number; seconds?: bigint; ciphertext: Buffer }): string {
  const { version = 0x80, seconds = BigInt(made), ciphertext } = parts;
  const head = Buffer.alloc(9);
  head[0] = version;
  head.writeBigUInt64BE(seconds, 1);
  const body = Buffer.concat([head, Buffer.alloc(16), ciphertext]);
  const signing = Buffer.from(key, 'base64url').subarray(0, 16);
  const bytes = Buffer.concat([body, createHmac('sha256', signing).update(body).digest()]);
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

function encryptedBlocks(bytes: Buffer): Buffer {
  const encryption = Buffer.from(key, 'base64url').subarray(16);
  const cipher = createCipheriv('aes-128-cbc', encryption, Buffer.alloc(16)).setAutoPadding(false);
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
}

describe('the vectors of the specification', () => {
  it.each(vectors.generate)('generate: $token', ({ iv, secret, src, ...vector }) => {
    const options = { now: secondsOf(vector as Vector), iv: Buffer.from(iv) };
    expect(fernet.encrypt(secret, Buffer.from(src), options)).toBe(vector.token);
  });

  it.each(vectors.verify)('verify: $token', ({ secret, src, ...vector }) => {
    const options = { now: secondsOf(vector as Vector), ttlSeconds: vector.ttl_sec };
    expect(fernet.decrypt(secret, vector.token, options).toString()).toBe(src);
  });

  const reasons: Readonly<Record<string, string>> = {
    'incorrect mac': 'HMAC is not one of this key',
    'too short': 'is too short',
    'invalid base64': 'is not base64url',
    'payload size not multiple of block size': 'does not consist of whole blocks',
    'payload padding error': 'padding is not that of PKCS #7',
    'far-future TS (unacceptable clock skew)': 'from the future',
    'expired TTL': 'older than its time to live',
    'incorrect IV (causes padding error)': 'padding is not that of PKCS #7',
  };

  it.each(vectors.invalid)('invalid: $desc', (vector) => {
    const options = { now: secondsOf(vector), ttlSeconds: vector.ttl_sec };
    const decrypt = () => fernet.decrypt(vector.secret, vector.token, options);
    expect(decrypt).toThrow(DecryptionError);
    expect(decrypt).toThrow(reasons[vector.desc] ?? 'no reason is known');
  });

  it('are all there', () => {
    expect(vectors.invalid.map(({ desc }) => desc)).toEqual(Object.keys(reasons));
  });
});

describe('a Fernet token', () => {
  it.each([0, 1, 15, 16, 17, 1_000, 100_000])('carries %d bytes', (length) => {
    const bytes = randomBytes(length);
    expect(fernet.decrypt(key, fernet.encrypt(key, bytes))).toEqual(bytes);
  });

  it('is another each time', () => {
    const tokens = new Set(Array.from({ length: 100 }, () => fernet.encrypt(key, text, atItsTime)));
    expect(tokens.size).toBe(100);
  });

  it('lives as long as it may, to the second', () => {
    const at = (now: number, ttlSeconds?: number) =>
      fernet.decrypt(key, token, { now, ttlSeconds }).toString();
    expect(at(made, 0)).toBe(String(text));
    expect(at(made + 60, 60)).toBe(String(text));
    expect(at(made + 60.999, 60)).toBe(String(text));
    expect(() => at(made + 61, 60)).toThrow('older than its time to live');
    expect(at(made + 1e9)).toBe(String(text));
  });

  it.each([undefined, 3_600])(
    'may be 60 seconds ahead, and no more, with the TTL %s',
    (ttlSeconds) => {
      const at = (now: number) => fernet.decrypt(key, token, { now, ttlSeconds }).toString();
      expect(at(made - 60)).toBe(String(text));
      expect(() => at(made - 60.001)).toThrow('from the future');
      expect(() => at(made - 61)).toThrow(DecryptionError);
    },
  );

  it('keeps its time without the fraction', () => {
    const bytes = Buffer.from(fernet.encrypt(key, text, { now: made + 0.999 }), 'base64url');
    expect(bytes.readBigUInt64BE(1)).toBe(BigInt(made));
  });

  it('of the end of time is from the future', () => {
    const block = encryptedBlocks(Buffer.alloc(16, 16));
    const late = signed({ seconds: 2n ** 64n - 1n, ciphertext: block });
    expect(() => fernet.decrypt(key, late, atItsTime)).toThrow('from the future');
    expect(fernet.decrypt(key, signed({ ciphertext: block }), atItsTime)).toHaveLength(0);
  });

  it('is not looked into before its HMAC is right', () => {
    const other = fernet.generateKey();
    const wrong = [
      signed({ version: 0x81, ciphertext: Buffer.alloc(16) }),
      signed({ seconds: 0n, ciphertext: Buffer.alloc(16) }),
      signed({ seconds: 2n ** 63n, ciphertext: Buffer.alloc(16) }),
      signed({ ciphertext: Buffer.alloc(15) }),
      signed({ ciphertext: Buffer.alloc(0) }),
      signed({ ciphertext: encryptedBlocks(Buffer.alloc(16, 17)) }),
    ];
    const sentences = wrong.map((each) => {
      const decrypt = () => fernet.decrypt(other, each, { ...atItsTime, ttlSeconds: 60 });
      expect(decrypt).toThrow('HMAC is not one of this key');
      return reasonOf(() => fernet.decrypt(key, each, { ...atItsTime, ttlSeconds: 60 }));
    });
    expect(sentences).toEqual([
      expect.stringContaining('another version'),
      expect.stringContaining('older than'),
      expect.stringContaining('from the future'),
      expect.stringContaining('whole blocks'),
      expect.stringContaining('whole blocks'),
      expect.stringContaining('PKCS #7'),
    ]);
  });

  it.each([
    ['0', Buffer.alloc(16, 0)],
    ['17', Buffer.alloc(16, 17)],
    ['3, not repeated', Buffer.from([...Buffer.alloc(13), 1, 3, 3])],
  ])('with a padding of %s is refused', (_, block) => {
    const padded = signed({ ciphertext: encryptedBlocks(block) });
    expect(() => fernet.decrypt(key, padded, atItsTime)).toThrow('PKCS #7');
  });

  it('with any bit flipped is refused', () => {
    const bytes = Buffer.from(token, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const text = flipped.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
      expect(() => fernet.decrypt(key, text, atItsTime)).toThrow('HMAC');
    }
  });

  it('cut off anywhere, or with something behind it, is refused', () => {
    for (let length = 0; length < token.length; length += 1) {
      expect(() => fernet.decrypt(key, token.slice(0, length), atItsTime)).toThrow(DecryptionError);
    }
    for (const more of ['A', '=', '\n', ' ', 'AAAA', token]) {
      expect(() => fernet.decrypt(key, token + more, atItsTime)).toThrow(DecryptionError);
    }
  });

  it('is refused in every other spelling of the same bytes', () => {
    const dashed = fernet.encrypt(key, text, { now: made, iv: Buffer.alloc(16, 0xfb) });
    const padded = fernet.encrypt(key, Buffer.alloc(0), atItsTime);
    expect([dashed, padded]).toEqual([expect.stringContaining('-'), expect.stringMatching(/==$/)]);
    const spellings = [
      dashed.replaceAll('-', '+'),
      ` ${dashed}`,
      `${dashed.slice(0, 20)}\n${dashed.slice(20)}`,
      padded.replace(/=+$/, ''),
      padded.replace(/==$/, '='),
      // The last character has four bits that no byte takes.
      padded.replace(/.==$/, 'B=='),
    ];
    for (const spelling of spellings) {
      expect(() => fernet.decrypt(key, spelling, atItsTime)).toThrow('is not base64url');
    }
  });

  it('is shown in no error, nor the key', () => {
    const other = fernet.generateKey();
    for (const attempt of [
      () => fernet.decrypt(other, token, atItsTime),
      () => fernet.decrypt(key, `${token}=`, atItsTime),
      () => fernet.decrypt(key, token, { now: 0 }),
      () => fernet.decrypt(`${other}=`, token, atItsTime),
    ]) {
      const reason = reasonOf(attempt);
      for (const secret of [token, key, other]) expect(reason).not.toContain(secret.slice(0, 8));
    }
  });
});

describe('what is not good enough for Fernet', () => {
  it.each([
    '',
    'short',
    key.slice(0, -1),
    `${key}=`,
    ` ${key}`,
    key.replace(/.=$/, '+='),
    `${Buffer.alloc(33).toString('base64url')}`,
  ])('as a key: %#', (bad) => {
    expect(() => fernet.encrypt(bad, text)).toThrow(ConfigError);
    expect(() => fernet.decrypt(bad, token)).toThrow('A Fernet key must be 32 bytes');
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY, 2 ** 60])('as the time: %d', (now) => {
    expect(() => fernet.encrypt(key, text, { now })).toThrow(ValidationError);
    expect(() => fernet.decrypt(key, token, { now })).toThrow(ValidationError);
  });

  it('as an IV or a time to live', () => {
    expect(() => fernet.encrypt(key, text, { iv: Buffer.alloc(12) })).toThrow(ValidationError);
    expect(() => fernet.decrypt(key, token, { ttlSeconds: -1 })).toThrow(ValidationError);
    expect(() => fernet.decrypt(key, token, { ttlSeconds: Number.NaN })).toThrow(ValidationError);
  });
});

function reasonOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    return error instanceof Error ? `${error.stack}` : '';
  }
  throw new Error('It was not refused.');
}
