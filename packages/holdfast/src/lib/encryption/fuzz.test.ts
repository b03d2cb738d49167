import { describe, expect, it } from 'vitest';
import type { RecordPlace } from '../codec/codec.ts';
import { DecryptionError } from '../errors/errors.ts';
import { issueToken, parseToken } from '../model/token.ts';
import { createCodec } from './create-codec.ts';
import { fernet } from './fernet.ts';
import { KeyRing } from './key-ring.ts';

const seed = 20_300_101;
/** 200,000 in all. */
const runs = { envelopes: 60_000, records: 50_000, tokens: 40_000, bearers: 50_000 };

/** The same numbers in every run: Mulberry32, below `limit`. */
function numbers(state: number): (limit: number) => number {
  let a = state;
  return (limit) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}

/** What one to four mutations make of it; never what it was. */
function mutated(original: Buffer, next: (limit: number) => number): Buffer {
  let bytes = Buffer.from(original);
  for (let left = 1 + next(4); left > 0; left -= 1) {
    const at = next(bytes.length + 1);
    const length = next(20);
    const [front, back] = [bytes.subarray(0, at), bytes.subarray(at)];
    const random = () => Buffer.from(Array.from({ length }, () => next(256)));
    const made = [
      () => Buffer.concat([front, random(), back]),
      () => Buffer.concat([front, back.subarray(length)]),
      () => Buffer.concat([front, random(), back.subarray(length)]),
      () => Buffer.concat([front, bytes.subarray(next(bytes.length + 1)), back]),
      () => front,
      () => back,
      () =>
        Buffer.concat([front, Buffer.from([(back[0] ?? 0) ^ (1 << next(8))]), back.subarray(1)]),
      () => Buffer.concat([Buffer.from([next(256)]), bytes.subarray(1)]),
    ][next(8)];
    bytes = Buffer.from(made?.() ?? bytes).subarray(0, 2_000);
  }
  return bytes.equals(original) ? mutated(original, next) : bytes;
}

/** How often each of these ended in which way. */
function outcomes(count: number, attempt: () => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let run = 0; run < count; run += 1) {
    let outcome: string;
    try {
      outcome = attempt();
    } catch (error) {
      outcome = error instanceof DecryptionError ? 'DecryptionError' : `untyped: ${error}`;
    }
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

describe('what was mutated at random', () => {
  const place: RecordPlace = { sessionId: 'a', incarnation: 'b', kind: 'messages', position: 1 };
  const value = [['id', 'user', 'Where is my parcel?']];
  const ring = KeyRing.parse(`${fernet.generateKey()},${fernet.generateKey()}`);

  it.each([
    ['aes-256-gcm', runs.envelopes],
    ['fernet', runs.records],
  ] as const)('is a record for nobody: %s, %d times', (cipher, count) => {
    const next = numbers(seed);
    const codec = createCodec(ring, { cipher, namespace: 'fuzz:' });
    const stored = Buffer.from(codec.encode(value, place));
    const raw = Buffer.from(stored.toString(), 'base64url');
    const made = () => {
      if (cipher === 'aes-256-gcm' || next(2) === 0) return mutated(stored, next);
      // So that it is base64 again.
      const text = mutated(raw, next).toString('base64');
      return Buffer.from(text.replaceAll('+', '-').replaceAll('/', '_'));
    };
    expect(outcomes(count, () => JSON.stringify(codec.decode(made(), place)))).toEqual({
      DecryptionError: count,
    });
  });

  it(`is a Fernet token for nobody, ${runs.tokens} times`, () => {
    const next = numbers(seed);
    const key = fernet.generateKey();
    const token = Buffer.from(fernet.encrypt(key, Buffer.from('text')));
    const raw = Buffer.from(token.toString(), 'base64url');
    const made = () =>
      next(2) === 0
        ? mutated(token, next).toString('latin1')
        : mutated(raw, next).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
    expect(outcomes(runs.tokens, () => fernet.decrypt(key, made()).toString())).toEqual({
      DecryptionError: runs.tokens,
    });
  });

  it(`is a bearer token for nobody, ${runs.bearers} times`, () => {
    const next = numbers(seed);
    const { token, hash } = issueToken('session-1');
    const bytes = Buffer.from(token);
    const counts = outcomes(runs.bearers, () => {
      const parsed = parseToken(mutated(bytes, next).toString('latin1'));
      if (parsed === null) return 'null';
      return parsed.hash === hash ? 'the right one' : 'another one';
    });
    const { null: refused = 0, 'another one': other = 0, ...rest } = counts;
    expect(rest).toEqual({});
    expect(refused + other).toBe(runs.bearers);
  });
});
