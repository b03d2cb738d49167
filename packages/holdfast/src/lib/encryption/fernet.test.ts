import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DecryptionError, ValidationError } from '../errors/errors.ts';
import { encodeToken, encryptToken, fernet } from './fernet.ts';
import spec from './vectors/fernet-spec.json' with { type: 'json' };

const at = (time: string) => Date.parse(time) / 1000;
const key = fernet.generateKey();
const now = 1_900_000_000;

describe('fernet', () => {
  it("makes the specification's tokens", () => {
    for (const { token, now, iv, src, secret } of spec.generate) {
      const made = fernet.encrypt(secret, Buffer.from(src), {
        now: at(now),
        iv: Uint8Array.from(iv),
      });
      expect(made).toBe(token);
    }
  });

  it("reads the specification's tokens", () => {
    for (const { token, now, ttl_sec: ttlSeconds, src, secret } of spec.verify) {
      expect(fernet.decrypt(secret, token, { now: at(now), ttlSeconds }).toString()).toBe(src);
    }
  });

  it.each(spec.invalid)('refuses: $desc', ({ token, now, ttl_sec: ttlSeconds, secret }) => {
    const decrypting = () => fernet.decrypt(secret, token, { now: at(now), ttlSeconds });
    expect(decrypting).toThrow(DecryptionError);
    expect(decrypting).not.toThrow(secret);
  });

  it('gives back what it was given, of any length', () => {
    for (let length = 0; length < 50; length++) {
      const bytes = randomBytes(length);
      expect(fernet.decrypt(key, fernet.encrypt(key, bytes))).toEqual(bytes);
    }
  });

  it('makes a new token each time', () => {
    const tokens = Array.from({ length: 100 }, () => fernet.encrypt(key, Buffer.from('a')));
    expect(new Set(tokens).size).toBe(100);
  });

  it('takes a token until its time to live is over, to the second', () => {
    const token = fernet.encrypt(key, Buffer.from('a'), { now });
    const read = (later: number) =>
      fernet.decrypt(key, token, { now: now + later, ttlSeconds: 60 });
    expect(read(60.9).toString()).toBe('a');
    expect(() => read(61)).toThrow('The Fernet token has expired.');
    expect(fernet.decrypt(key, token, { now: now + 1e9 }).toString()).toBe('a');
  });

  it('forgives clocks that differ by 60 s, and not more', () => {
    const token = fernet.encrypt(key, Buffer.from('a'), { now });
    expect(fernet.decrypt(key, token, { now: now - 60 }).toString()).toBe('a');
    expect(() => fernet.decrypt(key, token, { now: now - 61 })).toThrow('from the future');
  });

  it('looks at nothing that a wrong MAC leaves unprotected', () => {
    const raw = Buffer.from('key of 32 bytes, for this alone.');
    const text = encodeToken(raw);
    const expired = encryptToken(raw, Buffer.from('a'), { now: 0 });
    const broken = Buffer.from(expired);
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
    const read = (token: Buffer) => () =>
      fernet.decrypt(text, encodeToken(token), { now, ttlSeconds: 1 });
    expect(read(expired)).toThrow('has expired');
    expect(read(broken)).toThrow('made with another key, or changed');
  });

  it.each([
    ['without its padding', (token: string) => token.replace(/=+$/, '')],
    ['with other padding', (token: string) => `${token}=`],
    ['in base64', (token: string) => `${token.slice(0, 40)}+${token.slice(41)}`],
    ['with a line feed', (token: string) => `${token}\n`],
    ['of another version', (token: string) => `hA${token.slice(2)}`],
    ['cut by a block', (token: string) => token.slice(0, -64)],
    ['empty', () => ''],
  ])('refuses a token %s', (_, change) => {
    const token = fernet.encrypt(key, Buffer.from('abc'), { now });
    expect(() => fernet.decrypt(key, change(token), { now })).toThrow(DecryptionError);
  });

  it.each([
    ['', 'empty'],
    [key.slice(0, -1), 'without padding'],
    [randomBytes(31).toString('base64'), 'short'],
    [`${key.slice(0, -2)}+=`, 'in base64'],
  ])('refuses the key %j (%s)', (wrong) => {
    expect(() => fernet.encrypt(wrong, Buffer.from('a'))).toThrow(ValidationError);
    expect(() => fernet.decrypt(wrong, '')).toThrow(ValidationError);
  });

  it('refuses an IV of another length, and times that are none', () => {
    const encrypting = (options: object) => () => fernet.encrypt(key, Buffer.from('a'), options);
    expect(encrypting({ iv: Buffer.alloc(12) })).toThrow(ValidationError);
    expect(encrypting({ now: -1 })).toThrow(ValidationError);
    expect(encrypting({ now: Number.NaN })).toThrow(ValidationError);
  });
});

const python = '/usr/bin/python3';
const hasCryptography = spawnSync(python, ['-c', 'import cryptography']).status === 0;

/** What a Python program that gets `input` as JSON prints, as JSON. */
function run(program: string, input: object): unknown {
  const source = `import json, sys\nfrom cryptography.fernet import Fernet, MultiFernet\ni = json.load(sys.stdin)\n${program}`;
  const output = execFileSync(python, ['-c', source], { input: JSON.stringify(input) });
  return JSON.parse(output.toString());
}

describe.skipIf(!hasCryptography)(
  "fernet and Python's cryptography (skipped where /usr/bin/python3 has no such module)",
  () => {
    const texts = ['', 'hello', 'ü€😀', 'x'.repeat(10_000)];

    it('reads what Python makes, also with a key that Python made', () => {
      const made = run(
        'k = Fernet.generate_key()\nprint(json.dumps([k.decode(), [Fernet(k).encrypt(t.encode()).decode() for t in i["texts"]]]))',
        { texts },
      ) as [string, string[]];
      const [pythonKey, tokens] = made;
      expect(
        tokens.map((token) => fernet.decrypt(pythonKey, token, { ttlSeconds: 60 }).toString()),
      ).toEqual(texts);
    });

    it('makes what Python reads', () => {
      const tokens = texts.map((text) => fernet.encrypt(key, Buffer.from(text)));
      const read = run(
        'print(json.dumps([Fernet(i["key"]).decrypt(t.encode(), ttl=60).decode() for t in i["tokens"]]))',
        { key, tokens },
      );
      expect(read).toEqual(texts);
    });

    it('reads what Python has rotated', () => {
      const token = fernet.encrypt(key, Buffer.from('hello'));
      const next = fernet.generateKey();
      const rotated = run(
        'print(json.dumps(MultiFernet([Fernet(i["next"]), Fernet(i["key"])]).rotate(i["token"].encode()).decode()))',
        { key, next, token },
      ) as string;
      expect(fernet.decrypt(next, rotated).toString()).toBe('hello');
      expect(() => fernet.decrypt(key, rotated)).toThrow(DecryptionError);
    });
  },
);
