import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors/errors.ts';
import { KeyRing } from './key-ring.ts';
import { generateKey } from './parse-key.ts';
import { RingKey } from './ring-key.ts';

const [one, two, three] = [generateKey(), generateKey(), generateKey()];

describe('a key ring', () => {
  it('writes with its first key and reads with all', () => {
    const ring = KeyRing.parse(`${one}, ${two}\n`);
    expect(ring.keyIds).toHaveLength(2);
    expect(ring.primary.id).toBe(ring.keyIds[0]);
    for (const id of ring.keyIds) {
      expect(id).toMatch(/^[0-9a-f]{8}$/);
      expect(ring.find(id)?.id).toBe(id);
    }
    expect(ring.find('00000000')).toBeUndefined();
  });

  it('knows a key by the same id however it is spelled and wherever it stands', () => {
    const hex = Buffer.from(one, 'base64url').toString('hex');
    expect(KeyRing.parse(`${two},${hex}`).keyIds[1]).toBe(KeyRing.parse(one).keyIds[0]);
  });

  it('names a key by its position, and the setting', () => {
    expect(() => KeyRing.parse('abc')).toThrow(/^SESSION_ENCRYPTION_KEY is hex of 3 characters/);
    expect(() => KeyRing.parse(`${one},`)).toThrow(
      /^Key 2 of 2 in SESSION_ENCRYPTION_KEY is empty/,
    );
    expect(() => KeyRing.parse(`${one},x,${two}`, '/run/key')).toThrow(/^Key 2 of 3 in \/run\/key/);
  });

  it('refuses the same key twice, also in another spelling', () => {
    const hex = Buffer.from(one, 'base64url').toString('hex');
    const parse = () => KeyRing.parse(`${one},${two},${hex}`);
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow('Key 3 of 3 in SESSION_ENCRYPTION_KEY is the same as key 1.');
  });

  it('refuses two keys that have one id by chance', () => {
    // Found by trying some 50,000 keys.
    const a = 'HO68C27Ew4nDPcPpJzPcg6FBrH7OX1qNXPUNDtNIF5M';
    const b = 'fIafn0e1pNPGBxGYO5-187P1UDFQpb5ddc4z_-VgPcI';
    expect(KeyRing.parse(a).keyIds).toEqual(KeyRing.parse(b).keyIds);
    expect(() => KeyRing.parse(`${a},${b}`)).toThrow(/by chance the key id [0-9a-f]{8}, as key 1/);
  });

  it('shows no key, to nobody', () => {
    const ring = KeyRing.parse(`${one},${two}`);
    const shown = [ring, ring.primary].flatMap((value) => [
      inspect(value, { showHidden: true, depth: 9 }),
      JSON.stringify(value),
      String(value),
      `${Object.entries(value)}`,
    ]);
    for (const text of shown) {
      for (const key of [one, two]) {
        const bytes = Buffer.from(key, 'base64url');
        for (const secret of [
          key.slice(0, 8),
          bytes.toString('hex', 0, 4),
          [...bytes].join(', '),
        ]) {
          expect(text).not.toContain(secret);
        }
      }
    }
    expect(JSON.parse(JSON.stringify(ring))).toEqual({ keyIds: ring.keyIds });
    expect(inspect(ring)).toBe(`KeyRing { keyIds: [ '${ring.keyIds.join("', '")}' ] }`);
  });

  it('takes other keys in place, all at once', () => {
    const ring = KeyRing.parse(`${one},${two}`);
    const [first, second] = ring.keys;
    ring.replace(`${three},${two}`);
    expect(ring.keyIds).toEqual(KeyRing.parse(`${three},${two}`).keyIds);
    expect(ring.primary.id).toBe(KeyRing.parse(three).primary.id);
    expect(ring.keys[1]).toBe(second); // with all that was derived from it
    expect(ring.find(first?.id ?? '')).toBeUndefined();
  });

  it('tells those who listen that keys were taken away, and nothing else', () => {
    const ring = KeyRing.parse(`${one},${two}`);
    let told = 0;
    const tell = () => {
      told += 1;
    };
    const stop = ring.onRemoved(tell);
    ring.onRemoved(tell);
    ring.replace(`${two},${one}`);
    ring.replace(`${two},${one},${three}`);
    expect(() => ring.replace('abc')).toThrow(ConfigError);
    expect(told).toBe(0);
    ring.replace(`${two},${three}`);
    expect(told).toBe(2);
    stop();
    ring.replace(one);
    expect(told).toBe(3);
  });

  it.each(['', 'abc', `${three},abc`, `${three},${three}`])(
    'keeps the keys that it has where the new ones are wrong: %#',
    (text) => {
      const ring = KeyRing.parse(`${one},${two}`, '/run/key');
      const before = ring.keys;
      expect(() => ring.replace(text)).toThrow(ConfigError);
      expect(() => ring.replace(text)).toThrow('/run/key');
      expect(ring.keys).toEqual(before);
      expect(ring.primary).toBe(before[0]);
    },
  );

  it('derives keys for other uses: one of each key, another for each use and namespace', () => {
    const ring = KeyRing.parse(`${one},${two}`);
    const derived = ring.derive('fingerprint', 'a:');
    expect(derived.map(({ keyId }) => keyId)).toEqual(ring.keyIds);
    expect(derived).toEqual(KeyRing.parse(`${one},${two}`).derive('fingerprint', 'a:'));
    const all = [
      ...derived,
      ...ring.derive('fingerprint', 'a:\0'),
      ...ring.derive('other', 'a:'),
      ...ring.derive('key id', ''),
    ].map(({ key }) => key.toString('hex'));
    expect(new Set(all).size).toBe(8);
    expect(all.every((hex) => hex.length === 64)).toBe(true);
    expect(ring.derive('key id', '')[0]?.key.toString('hex', 0, 4)).not.toBe(ring.keyIds[0]);
  });
});

describe('what is derived from a key', () => {
  it('is the same in every version: records from before must be read', () => {
    const key = new RingKey(Buffer.from(`${'0f'.repeat(16)}${'a5'.repeat(16)}`, 'hex'));
    const derived = key.derive(['aes-256-gcm', 'session-1', 'incarnation-1'], Buffer.alloc(32, 7));
    expect([key.id, derived.toString('hex')]).toEqual([
      'fa91dc9b',
      '271519d6c9b08564d9086d3378e5a85525a30352b4ab8826dd0855e6e9196e51',
    ]);
    expect(new RingKey(randomBytes(32)).id).not.toBe(key.id);
  });
});
