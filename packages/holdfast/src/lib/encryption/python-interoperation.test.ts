import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createCodec } from './create-codec.ts';
import { fernet } from './fernet.ts';
import { KeyRing } from './key-ring.ts';

/** Debian's own: it has the package python3-cryptography. */
const python = '/usr/bin/python3';
const script = fileURLToPath(new URL('./python-interoperation.py', import.meta.url));
const missing = spawnSync(python, ['-c', 'import cryptography']).status !== 0;
if (missing) {
  console.warn(`Skipped: ${python} has no package cryptography. Install python3-cryptography.`);
}

/** What Python's cryptography answers to each of these. */
function ask(questions: readonly object[]): unknown[] {
  const input = questions.map((question) => `${JSON.stringify(question)}\n`).join('');
  const output = execFileSync(python, [script], { input, encoding: 'utf8' });
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe.skipIf(missing)('Python’s cryptography', () => {
  const key = fernet.generateKey();
  const texts = [0, 1, 15, 16, 17, 700, 5_000].map((length) => randomBytes(length));

  it('reads what we encrypt', () => {
    const answers = ask(
      texts.map((text) => ({ do: 'decrypt', key, token: fernet.encrypt(key, text) })),
    );
    expect(answers).toEqual(texts.map((text) => text.toString('base64')));
  });

  it('encrypts what we read', () => {
    const tokens = ask(
      texts.map((text) => ({ do: 'encrypt', key, text: text.toString('base64') })),
    );
    expect(tokens.map((token) => fernet.decrypt(key, String(token), { ttlSeconds: 60 }))).toEqual(
      texts,
    );
  });

  it('takes the same tokens in time, too late and too early', () => {
    const made = 1_800_000_000;
    const [theirs] = ask([{ do: 'encrypt', key, text: '', now: made }]);
    const tokens = [String(theirs), fernet.encrypt(key, Buffer.alloc(0), { now: made })];
    const questions = tokens.flatMap((token) =>
      [-61, -60, 0, 30, 31].map((later) => ({
        do: 'decrypt',
        key,
        token,
        ttl: 30,
        now: made + later,
      })),
    );
    const ours = questions.map(({ token, ttl, now }) => {
      try {
        return fernet.decrypt(key, token, { ttlSeconds: ttl, now }).toString('base64');
      } catch {
        return null;
      }
    });
    expect(ours).toEqual([null, '', '', '', null, null, '', '', '', null]);
    expect(ask(questions)).toEqual(ours);
  });

  it('rotates our tokens, and we read them under the new key, with the old time', () => {
    const next = fernet.generateKey();
    const made = 1_800_000_000;
    const text = Buffer.from('Meet me at noon.');
    const token = fernet.encrypt(key, text, { now: made });
    const [rotated] = ask([{ do: 'rotate', keys: [next, key], token }]).map(String);
    const read = (under: string, now: number) =>
      fernet.decrypt(under, rotated ?? '', { now, ttlSeconds: 10 }).toString();
    expect(read(next, made + 10)).toBe(String(text));
    expect(() => read(next, made + 11)).toThrow('older than its time to live');
    expect(() => read(key, made)).toThrow('HMAC is not one of this key');
  });

  it('opens an AES envelope by what the documentation says of it', () => {
    const ring = KeyRing.parse(key);
    const codec = createCodec(ring, { cipher: 'aes-256-gcm', namespace: 'agent:session:' });
    const place = {
      sessionId: 'session-1',
      incarnation: 'incarnation-1',
      kind: 'state',
      position: 7,
    } as const;
    const value = { status: 'active', metadata: { plan: 'größer' } };
    const envelope = Buffer.from(codec.encode(value, place));
    const inBase64 = (text: string | Buffer) => Buffer.from(text).toString('base64');
    const [opened] = ask([
      {
        do: 'open',
        key: inBase64(Buffer.from(key, 'base64url')),
        salt: inBase64(createHash('sha256').update('agent:session:').digest()),
        info: inBase64('["holdfast","aes-256-gcm","session-1","incarnation-1"]'),
        nonce: inBase64(envelope.subarray(5, 17)),
        sealed: inBase64(envelope.subarray(17)),
        aad: inBase64(
          `["holdfast record 1","${ring.primary.id}","agent:session:","session-1","incarnation-1","state",7]`,
        ),
      },
    ]);
    expect(JSON.parse(Buffer.from(String(opened), 'base64').toString())).toEqual(value);
  });
});
