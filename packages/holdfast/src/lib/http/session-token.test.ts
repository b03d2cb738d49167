import { describe, expect, it } from 'vitest';
import { readToken, sessionCookie } from './session-token.ts';

describe('readToken', () => {
  it.each(['Bearer abc.def', 'bearer abc.def', 'BEARER   abc.def', ' Bearer abc.def '])(
    'reads the header %j',
    (authorization) => {
      expect(readToken({ authorization })).toEqual({ token: 'abc.def', source: 'header' });
    },
  );

  it('reads web headers as it reads those of Node', () => {
    expect(readToken(new Headers({ Authorization: 'Bearer abc' }))).toEqual({
      token: 'abc',
      source: 'header',
    });
    expect(readToken(new Headers({ Cookie: '__Host-holdfast=abc' }))).toEqual({
      token: 'abc',
      source: 'cookie',
    });
  });

  it.each([
    ['__Host-holdfast=abc', 'abc'],
    ['holdfast=abc', 'abc'],
    ['theme=dark; holdfast=abc; lang=fr', 'abc'],
    ['theme=dark;holdfast=abc', 'abc'],
    ['holdfast=plain; __Host-holdfast=secure', 'secure'],
    ['holdfast=first; holdfast=second', 'first'],
    ['holdfast=a=b==', 'a=b=='],
  ])('reads the cookie %j', (cookie, token) => {
    expect(readToken({ cookie })).toEqual({ token, source: 'cookie' });
  });

  it.each([
    ['nothing', {}],
    ['an empty cookie header', { cookie: '' }],
    ['other cookies', { cookie: 'myholdfast=a; holdfast2=b; Holdfast=c; __host-holdfast=d' }],
    ['a cookie without a value', { cookie: 'holdfast' }],
    ['an empty cookie', { cookie: 'holdfast=' }],
    ['a scheme that only begins so', { authorization: 'Bearerabc' }],
    ['another scheme', { authorization: 'Basic YTpi' }],
  ])('finds none in %s', (_, headers) => {
    expect(readToken(headers)).toBeNull();
  });

  it('prefers the header', () => {
    const headers = { authorization: 'Bearer header', cookie: 'holdfast=cookie' };
    expect(readToken(headers)).toEqual({ token: 'header', source: 'header' });
  });

  it.each(['Bearer', 'Bearer ', 'Bearer a b', 'Bearer a, Bearer b'])(
    'takes no cookie for the malformed header %j',
    (authorization) => {
      expect(readToken({ authorization, cookie: 'holdfast=cookie' })).toBeNull();
    },
  );

  it('takes the cookie beside credentials of another scheme, such as those of a proxy', () => {
    const headers = { authorization: 'Basic YTpi', cookie: 'holdfast=cookie' };
    expect(readToken(headers)).toEqual({ token: 'cookie', source: 'cookie' });
  });

  it('takes no other cookie in place of an empty secure one', () => {
    expect(readToken({ cookie: '__Host-holdfast=; holdfast=abc' })).toBeNull();
  });
});

describe('sessionCookie', () => {
  it('is bound to the host over HTTPS', () => {
    expect(sessionCookie('abc', { secure: true })).toBe(
      '__Host-holdfast=abc; Path=/; HttpOnly; Secure; SameSite=Lax',
    );
  });

  it('has no prefix, and is not Secure, over plain HTTP', () => {
    expect(sessionCookie('abc', { secure: false })).toBe(
      'holdfast=abc; Path=/; HttpOnly; SameSite=Lax',
    );
  });

  it('ends with the session', () => {
    const expiresAt = Date.UTC(2030, 0, 1, 12);
    expect(sessionCookie('abc', { secure: true, expiresAt })).toBe(
      '__Host-holdfast=abc; Path=/; HttpOnly; Secure; SameSite=Lax; Expires=Tue, 01 Jan 2030 12:00:00 GMT',
    );
  });

  it('is taken back by null, whenever it would have ended', () => {
    expect(sessionCookie(null, { secure: true, expiresAt: Date.UTC(2030, 0, 1) })).toBe(
      '__Host-holdfast=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0',
    );
  });

  it.each([true, false])('is read again (secure: %s)', (secure) => {
    const [cookie] = sessionCookie('abc', { secure }).split(';');
    expect(readToken({ cookie })).toEqual({ token: 'abc', source: 'cookie' });
  });
});
