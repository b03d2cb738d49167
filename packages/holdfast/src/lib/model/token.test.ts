import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { issueToken, parseToken, sameHash } from './token.ts';

const encoded = (id: string) => Buffer.from(id).toString('base64url');
const secret = 's'.repeat(43);

describe('issueToken', () => {
  it('names the session and holds a secret of 256 bits', () => {
    const { token } = issueToken('user-123');
    expect(token).toMatch(/^hf1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/);
    const [, id, random] = token.split('.');
    expect(Buffer.from(id ?? '', 'base64url').toString()).toBe('user-123');
    expect(Buffer.from(random ?? '', 'base64url')).toHaveLength(32);
  });

  it('makes another token each time, also for the same session', () => {
    const tokens = Array.from({ length: 100 }, () => issueToken('user-123').token);
    expect(new Set(tokens).size).toBe(100);
  });

  it('gives the SHA-256 of the token, which does not hold the secret', () => {
    const { token, hash } = issueToken('user-123');
    expect(hash).toBe(createHash('sha256').update(token).digest('base64url'));
    expect(hash).not.toContain(token.split('.')[2]);
  });

  it.each(['a', 'x'.repeat(255), 'user@example.com'])(
    'makes a token that is read again for the id %s',
    (id) => {
      const { token, hash } = issueToken(id);
      expect(parseToken(token)).toEqual({ sessionId: id, hash });
    },
  );
});

describe('parseToken', () => {
  const { token } = issueToken('user-123');

  it.each<readonly [string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a number', 1],
    ['a list of tokens', [token]],
    ['an empty string', ''],
    ['an id', 'user-123'],
    ['another version', token.replace('hf1', 'hf2')],
    ['a secret one short', token.slice(0, -1)],
    ['a secret one long', `${token}A`],
    ['no secret', token.slice(0, token.lastIndexOf('.'))],
    ['no id', `hf1..${secret}`],
    ['a space behind', `${token} `],
    ['a line break behind', `${token}\n`],
    ['a fourth part', `${token}.x`],
    ['standard base64', `hf1.${encoded('user-123')}.${'+'.repeat(43)}`],
    ['unicode', `hf1.${encoded('user-123')}.${'é'.repeat(43)}`],
    ['an id with a line break', `hf1.${encoded('a\nb')}.${secret}`],
    ['an id of nothing but a NUL', `hf1.${encoded('\0')}.${secret}`],
    ['an id in unicode', `hf1.${encoded('üser')}.${secret}`],
    ['an id that is not UTF-8', `hf1._____w.${secret}`],
    ['an id of 256 characters', `hf1.${encoded('x'.repeat(256))}.${secret}`],
  ])('knows %s for no token', (_, value) => {
    expect(parseToken(value)).toBeNull();
  });

  it('reads a well-formed token of anyone; its hash is what tells', () => {
    const forged = parseToken(`hf1.${encoded('user-123')}.${secret}`);
    expect(forged?.sessionId).toBe('user-123');
    expect(forged?.hash).not.toBe(parseToken(token)?.hash);
  });

  it('gives another hash for every other spelling of the same id', () => {
    // The last character of base64url has bits that no byte takes: "YQ" and "YR" are both "a".
    const [one, other] = [`hf1.YQ.${secret}`, `hf1.YR.${secret}`].map(parseToken);
    expect(one?.sessionId).toBe(other?.sessionId);
    expect(one?.hash).not.toBe(other?.hash);
  });

  it('never throws, and never names what is not an id', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.base64String().map((id) => `hf1.${id.replace(/=/g, '')}.${secret}`),
      fc.string({ unit: 'binary', maxLength: 255 }).map((id) => `hf1.${encoded(id)}.${secret}`),
    );
    fc.assert(
      fc.property(text, (value) => {
        const parsed = parseToken(value);
        if (parsed !== null) expect(parsed.sessionId).toMatch(/^[A-Za-z0-9._:@-]{1,255}$/);
      }),
    );
  });
});

describe('sameHash', () => {
  const { hash } = issueToken('a');

  it('holds for the same hash alone', () => {
    expect(sameHash(hash, hash)).toBe(true);
    expect(sameHash(hash, issueToken('a').hash)).toBe(false);
  });

  it('is false for a session without a token, whatever is given', () => {
    expect(sameHash(null, hash)).toBe(false);
    expect(sameHash(null, '')).toBe(false);
  });

  it('is false, and does not throw, for another length in characters or in bytes', () => {
    expect(sameHash(hash, hash.slice(1))).toBe(false);
    expect(sameHash(hash, '')).toBe(false);
    expect(sameHash('é', 'e')).toBe(false);
  });
});
