import { describe, expect, it } from 'vitest';
import type { RecordPlace } from '../codec/codec.ts';
import { decodeRecord } from '../codec/decode-record.ts';
import { DecryptionError } from '../errors/errors.ts';
import type { JsonValue } from '../json/json-value.ts';
import { type Cipher, createCodec, type EncryptionOptions } from './create-codec.ts';
import { KeyRing } from './key-ring.ts';
import { generateKey } from './parse-key.ts';

const [old, next, other] = [generateKey(), generateKey(), generateKey()];
const namespace = 'agent:session:';
const ring = KeyRing.parse(old);
const place: RecordPlace = {
  sessionId: 's-1',
  incarnation: 'i-1',
  kind: 'state',
  position: 7,
};
const value: JsonValue = {
  userId: 'ada',
  metadata: { plan: 'pro', note: 'ü€😀' },
  list: [1, null],
};

const codecOf = (keys: KeyRing, options: Partial<EncryptionOptions> = {}) =>
  createCodec(keys, { namespace, ...options });

/** Both ciphers pass all of it. */
describe.each<Cipher>(['aes-256-gcm', 'fernet'])('the codec %s', (cipher) => {
  const codec = codecOf(ring, { cipher });
  const encoded = Buffer.from(codec.encode(value, place));
  const reading =
    (bytes: Buffer, at = place, by = codec) =>
    () =>
      decodeRecord(by, bytes, at);

  it('gives back what it was given', () => {
    for (const json of [value, 'text', '', 0, null, true, [], {}, 'x'.repeat(300_000)]) {
      expect(reading(Buffer.from(codec.encode(json, place)))()).toEqual(json);
    }
  });

  it('shows nothing of the value, and never the same twice', () => {
    expect(encoded.toString('latin1')).not.toMatch(/ada|pro|userId/);
    expect(Buffer.from(codec.encode(value, place))).not.toEqual(encoded);
  });

  it('refuses a change of any byte, in each of its bits', () => {
    for (let at = 0; at < encoded.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = Buffer.from(encoded);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(reading(changed)).toThrow(DecryptionError);
      }
    }
  });

  it('refuses what was cut or lengthened, anywhere', () => {
    for (let at = 0; at < encoded.length; at++) {
      const [before, behind] = [encoded.subarray(0, at), encoded.subarray(at)];
      expect(reading(before)).toThrow(DecryptionError);
      if (at > 0) expect(reading(behind)).toThrow(DecryptionError);
      expect(reading(Buffer.concat([before, Buffer.from('A'), behind]))).toThrow(DecryptionError);
      expect(reading(Buffer.concat([before, encoded.subarray(at + 1)]))).toThrow(DecryptionError);
    }
    expect(reading(Buffer.concat([encoded, encoded]))).toThrow(DecryptionError);
  });

  it.each<Partial<RecordPlace>>([
    { sessionId: 's-2' },
    { incarnation: 'i-2' },
    { kind: 'outcome' },
    { position: 6 },
    { position: 8 },
  ])('refuses what was moved to %o', (elsewhere) => {
    expect(reading(encoded, { ...place, ...elsewhere })).toThrow(DecryptionError);
  });

  it('refuses what was moved to another namespace', () => {
    const elsewhere = codecOf(ring, { cipher, namespace: 'agent:session2:' });
    expect(reading(encoded, place, elsewhere)).toThrow(DecryptionError);
  });

  it('refuses what was made with another key, and names no key but by its id', () => {
    const stranger = codecOf(KeyRing.parse(other), { cipher });
    expect(reading(encoded, place, stranger)).toThrow(DecryptionError);
    expect(reading(encoded, place, stranger)).not.toThrow(other);
  });

  it('refuses what is not encrypted, whatever it is, and says what to do', () => {
    for (const plain of ['{"userId":"eve"}', '[]', '"a"', '1', '-1', 'null', 'true', 'false']) {
      expect(reading(Buffer.from(plain))).toThrow('SESSION_ENCRYPTION_ALLOW_PLAINTEXT=true');
    }
    expect(reading(Buffer.from(''))).toThrow(DecryptionError);
    expect(reading(Buffer.from(' {}'))).toThrow(DecryptionError);
  });

  it('reads it where that is allowed, and calls it stale', () => {
    const allowing = codecOf(ring, { cipher, allowPlaintext: true });
    const plain = Buffer.from(JSON.stringify(value));
    expect(reading(plain, place, allowing)()).toEqual(value);
    expect(allowing.isStale(plain, place)).toBe(true);
    expect(reading(encoded, place, allowing)()).toEqual(value);
  });

  it('refuses keys that reach a prototype, whoever encrypted them', () => {
    const poisoned = JSON.parse('{"metadata":{"__proto__":{"admin":true}}}') as JsonValue;
    expect(reading(Buffer.from(codec.encode(poisoned, place)))).toThrow(DecryptionError);
    expect(Object.hasOwn(Object.prototype, 'admin')).toBe(false);
  });

  it('changes its key in steps, of which each reads what the one before wrote', () => {
    const steps = [old, `${old},${next}`, `${next},${old}`].map((keys) =>
      codecOf(KeyRing.parse(keys), { cipher }),
    );
    const last = codecOf(KeyRing.parse(next), { cipher });
    for (const [at, writer] of steps.entries()) {
      const written = Buffer.from(writer.encode(value, place));
      for (const reader of steps.slice(Math.max(at - 1, 0), at + 2)) {
        expect(reading(written, place, reader)()).toEqual(value);
      }
      const current = at === 2;
      expect(steps[2]?.isStale(written, place)).toBe(!current);
      if (current) expect(reading(written, place, last)()).toEqual(value);
      else expect(reading(written, place, last)).toThrow(DecryptionError);
    }
  });

  it('finds a key again that was put into its ring', () => {
    const keys = KeyRing.parse(other);
    const reader = codecOf(keys, { cipher });
    expect(reading(encoded, place, reader)).toThrow(DecryptionError);
    keys.replace(`${other},${old}`);
    expect(reading(encoded, place, reader)()).toEqual(value);
  });

  it('reads what the other cipher wrote, and calls it stale', () => {
    const [theirs = cipher] = (['aes-256-gcm', 'fernet'] as const).filter((own) => own !== cipher);
    const written = Buffer.from(codecOf(ring, { cipher: theirs }).encode(value, place));
    expect(reading(written)()).toEqual(value);
    expect(codec.isStale(written, place)).toBe(true);
    expect(codec.isStale(encoded, place)).toBe(false);
  });

  it('names users so that nobody can tell who they are, and all keys their own way', () => {
    const both = codecOf(KeyRing.parse(`${next},${old}`), { cipher, allowPlaintext: true });
    const [first, second, plain, ...more] = both.userNames('ada');
    expect(codec.userNames('ada')).toEqual([second]);
    expect([first, second].join()).not.toContain('ada');
    expect(first).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect([plain, ...more]).toEqual(['ada']);
    expect(codec.userNames('bob')[0]).not.toBe(second);
    expect(codecOf(ring, { cipher, namespace: 'x:' }).userNames('ada')[0]).not.toBe(second);
  });
});

it('names the key that an AES envelope wants', () => {
  const encoded = Buffer.from(codecOf(ring).encode(value, place));
  const stranger = codecOf(KeyRing.parse(other));
  expect(() => stranger.decode(encoded, place)).toThrow(
    `with key ${ring.primary.id}, which is not in the ring`,
  );
});
