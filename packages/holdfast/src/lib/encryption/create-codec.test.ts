import { describe, expect, it } from 'vitest';
import { type Codec, jsonCodec, type RecordPlace } from '../codec/codec.ts';
import { decodeRecord } from '../codec/decode-record.ts';
import { ConfigError, DecryptionError } from '../errors/errors.ts';
import { Records } from '../redis/layout/records.ts';
import { type CipherName, type CodecOptions, createCodec } from './create-codec.ts';
import { KeyRing } from './key-ring.ts';
import { generateKey } from './parse-key.ts';

const ring = KeyRing.parse(generateKey());
const options: CodecOptions = { cipher: 'aes-256-gcm', namespace: 'n' };

const allowing = (cipher: CipherName) =>
  createCodec(ring, { ...options, cipher, allowPlaintext: true });

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

  it.each(['aes-256-gcm', 'fernet'] as const)(
    'says of a record that is cut off anywhere that it is damaged, when it renews it, too: %s',
    (cipher) => {
      const codec = createCodec(ring, { ...options, cipher });
      const at = { sessionId: 's', incarnation: 'i', kind: 'state', position: 1 } as const;
      const stored = Buffer.from(codec.encode({ a: 1 }, at));
      const renew = (bytes: Buffer) => {
        if (codec.isStale(bytes, at)) codec.encode(decodeRecord(codec, bytes, at), at);
        return decodeRecord(codec, bytes, at);
      };
      expect(renew(stored)).toEqual({ a: 1 });
      for (let length = 1; length < stored.length; length += 1) {
        expect(() => renew(stored.subarray(0, length))).toThrow(DecryptionError);
      }
    },
  );

  it.each(['aes-256-gcm', 'fernet'] as const)(
    'tells what is damaged from what a key or a setting is missing for: %s',
    (cipher) => {
      const codec = createCodec(ring, { ...options, cipher });
      const other = createCodec(KeyRing.parse(generateKey()), { ...options, cipher });
      const at = { sessionId: 's', incarnation: 'i', kind: 'state', position: 1 } as const;
      const stored = Buffer.from(codec.encode({ a: 1 }, at));
      const thrown = (bytes: Buffer, place: RecordPlace = at, reader: Codec = codec) => {
        try {
          return decodeRecord(reader, bytes, place);
        } catch (error) {
          return error instanceof DecryptionError ? error : null;
        }
      };
      const damaged = expect.objectContaining({
        isDamaged: true,
        message: expect.stringMatching(/session s .* from a backup, or delete it/),
      });
      const keyless = expect.objectContaining({
        isDamaged: false,
        message: expect.stringContaining('the key ring holds the key that wrote the record'),
      });
      for (const length of [0, 1, 20]) expect(thrown(stored.subarray(0, length))).toEqual(damaged);
      for (const text of ['garbage', '{"a":']) {
        expect(thrown(Buffer.from(text), at, allowing(cipher))).toEqual(damaged);
      }
      expect(thrown(stored, { ...at, position: 2 })).toEqual(damaged);
      // A Fernet token names no key.
      const changed = thrown(stored.subarray(0, -1));
      expect(changed).toEqual(cipher === 'fernet' ? keyless : damaged);
      expect(thrown(stored, at, other)).toEqual(keyless);
      expect(thrown(stored, at, jsonCodec)).toEqual(keyless);
      expect(thrown(Buffer.from('{"a":1}'))).toEqual(keyless);
      expect(thrown(Buffer.from('{"a":'), at, jsonCodec)).toEqual(damaged);
    },
  );

  it.each(['null', '1', '[]'])('whose state is %s is of one that is damaged', (text) => {
    const at = { sessionId: 's', incarnation: 'i', position: 1 };
    const read = () => new Records(jsonCodec).readState(Buffer.from(text), at, null);
    expect(read).toThrow(expect.objectContaining({ isDamaged: true }));
  });

  it('takes another length of additional data in its stride', () => {
    const codec = createCodec(ring, { ...options, namespace: 'n'.repeat(5_000) });
    const long = 'x'.repeat(255);
    const at = { sessionId: long, incarnation: long, kind: 'outcome', position: long } as const;
    expect(codec.decode(Buffer.from(codec.encode([1], at)), at)).toEqual([1]);
  });
});
