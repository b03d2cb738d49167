import { describe, expect, it } from 'vitest';
import { ConfigError, DecryptionError } from '../errors/errors.ts';
import { Records } from '../redis/layout/records.ts';
import { type CodecOptions, createCodec } from './create-codec.ts';
import { KeyRing } from './key-ring.ts';
import { generateKey } from './parse-key.ts';

const ring = KeyRing.parse(generateKey());
const options: CodecOptions = { cipher: 'aes-256-gcm', namespace: 'n' };

describe('a codec', () => {
  it.each([
    { cipher: 'aes-128-gcm' },
    { cipher: '' },
    { subkeyCacheSize: 0 },
    { subkeyCacheSize: 1.5 },
    { subkeyCacheSize: Number.POSITIVE_INFINITY },
  ])('is not made of %j', (wrong) => {
    expect(() => createCodec(ring, { ...options, ...(wrong as object) })).toThrow(ConfigError);
  });

  it.each(['aes-256-gcm', 'fernet'] as const)('has the name of what it writes: %s', (cipher) => {
    expect(createCodec(ring, { ...options, cipher }).name).toBe(cipher);
  });

  it.each([
    '{"__proto__":{"admin":true}}',
    '{"metadata":{"constructor":{"prototype":{"admin":true}}}}',
  ])('hands a store nothing that reaches a prototype: %s', (text) => {
    const codec = createCodec(ring, options);
    const at = { sessionId: 's', incarnation: 'i', position: 1 };
    const stored = codec.encode(JSON.parse(text), { ...at, kind: 'state' });
    const read = () => new Records(codec).readState(Buffer.from(stored), at, null);
    expect(read).toThrow(DecryptionError);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('takes another length of additional data in its stride', () => {
    const codec = createCodec(ring, { ...options, namespace: 'n'.repeat(5_000) });
    const long = 'x'.repeat(255);
    const at = { sessionId: long, incarnation: long, kind: 'outcome', position: long } as const;
    expect(codec.decode(Buffer.from(codec.encode([1], at)), at)).toEqual([1]);
  });
});
