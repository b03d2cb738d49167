import { expect, it } from 'vitest';
import type { RecordPlace } from '../codec/codec.ts';
import { decodeRecord } from '../codec/decode-record.ts';
import { DecryptionError } from '../errors/errors.ts';
import { issueToken, parseToken } from '../model/token.ts';
import { createCodec } from './create-codec.ts';
import { encodeToken, fernet } from './fernet.ts';
import { KeyRing } from './key-ring.ts';
import { generateKey } from './parse-key.ts';

const runs = 200_000;

/** Mulberry32: the same numbers in each run. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** One to three changes: a bit, a byte, a cut, a doubled part, another sample's end. */
function mutated(sample: Buffer, samples: readonly Buffer[], random: (below: number) => number) {
  let bytes = Buffer.from(sample);
  for (let left = 1 + random(3); left > 0; left -= 1) {
    const at = random(bytes.length + 1);
    switch (random(6)) {
      case 0:
        if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
        break;
      case 1:
        if (at < bytes.length) bytes[at] = random(256);
        break;
      case 2:
        bytes = bytes.subarray(0, at);
        break;
      case 3:
        bytes = bytes.subarray(at);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.of(random(256)), bytes.subarray(at)]);
        break;
      default:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          (samples[random(samples.length)] ?? bytes).subarray(at),
        ]);
    }
    if (bytes.length === 0) break;
  }
  return bytes;
}

it(`meets ${runs} mutated records and tokens with typed errors alone`, () => {
  const random = seeded(20_260_101);
  const place: RecordPlace = { sessionId: 's', incarnation: 'i', kind: 'state', position: 1 };
  const ring = KeyRing.parse(`${generateKey()},${generateKey()}`);
  const key = encodeToken(Buffer.from(ring.primary.derive('fuzz')));
  const ciphers = (['aes-256-gcm', 'fernet'] as const).map((cipher) =>
    createCodec(ring, { cipher, namespace: 'n:' }),
  );
  const records = ciphers.flatMap((codec) =>
    [{ a: 1 }, 'b', { text: 'c'.repeat(40) }].map((json) => Buffer.from(codec.encode(json, place))),
  );
  const tokens = ['', 'abc'].map((text) => Buffer.from(fernet.encrypt(key, Buffer.from(text))));
  const bearers = ['s', 'a-longer-id'].map((id) => issueToken(id));
  const issued = bearers.map(({ token }) => Buffer.from(token));
  const hashes = new Set(bearers.map(({ hash }) => hash));
  const counts = { refused: 0, read: 0 };
  const expectRefusal = (samples: readonly Buffer[], bytes: Buffer, read: () => unknown) => {
    try {
      read();
    } catch (error) {
      if (!(error instanceof DecryptionError)) throw error;
      counts.refused += 1;
      return;
    }
    // Changes may undo each other; nothing else is ever read.
    expect(samples.some((sample) => sample.equals(bytes))).toBe(true);
    counts.read += 1;
  };
  for (let run = 0; run < runs; run++) {
    const samples = [records, records, tokens, issued][run % 4] ?? records;
    const bytes = mutated(samples[random(samples.length)] ?? Buffer.alloc(0), samples, random);
    if (samples === issued) {
      const parsed = parseToken(bytes.toString('latin1'));
      const genuine = issued.some((token) => token.equals(bytes));
      expect(parsed !== null && hashes.has(parsed.hash)).toBe(genuine);
    } else if (samples === tokens) {
      expectRefusal(samples, bytes, () => fernet.decrypt(key, bytes.toString('latin1')));
    } else {
      expectRefusal(samples, bytes, () =>
        decodeRecord(ciphers[run % 2] ?? (ciphers[0] as never), bytes, place),
      );
    }
  }
  expect(counts.refused).toBeGreaterThan(runs / 2);
});
