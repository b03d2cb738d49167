import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors/errors.ts';
import { clientFrom, trustProxies } from './client-from.ts';

const proxies = trustProxies(['10.0.0.0/8', '2001:db8:1::/48', '192.0.2.7']);

/** The address that a request comes from, by its connection and its X-Forwarded-For. */
function addressOf(remote: string | undefined, forwarded?: string, trust = proxies) {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return clientFrom(headers, remote, trust).ipAddress;
}

describe('clientFrom', () => {
  it('takes address and user agent of the request itself', () => {
    expect(clientFrom({ 'user-agent': 'Mozilla/5.0' }, '203.0.113.9')).toEqual({
      ipAddress: '203.0.113.9',
      userAgent: 'Mozilla/5.0',
    });
  });

  it('reads web headers as it reads those of Node', () => {
    const headers = { 'user-agent': 'Mozilla/5.0', 'x-forwarded-for': '203.0.113.9' };
    expect(clientFrom(new Headers(headers), '10.0.0.1', proxies)).toEqual(
      clientFrom(headers, '10.0.0.1', proxies),
    );
  });

  it('leaves out what it does not know', () => {
    expect(clientFrom({}, undefined)).toEqual({});
    expect(clientFrom(new Headers(), '203.0.113.9')).toEqual({ ipAddress: '203.0.113.9' });
  });

  it('believes no X-Forwarded-For unless it is told of a proxy', () => {
    expect(clientFrom({ 'x-forwarded-for': '198.51.100.1' }, '10.0.0.1').ipAddress).toBe(
      '10.0.0.1',
    );
  });

  it('believes no X-Forwarded-For of a client that is no proxy', () => {
    expect(addressOf('203.0.113.9', '198.51.100.1')).toBe('203.0.113.9');
    expect(addressOf('203.0.113.9', '198.51.100.1, 10.0.0.1')).toBe('203.0.113.9');
  });

  it.each([
    ['one proxy', '10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['what the client wrote itself', '10.0.0.1', '198.51.100.1, 203.0.113.9', '203.0.113.9'],
    ['a client that names a proxy', '10.0.0.1', '10.0.0.5, 203.0.113.9', '203.0.113.9'],
    ['three proxies', '10.0.0.1', '203.0.113.9, 192.0.2.7, 10.9.9.9', '203.0.113.9'],
    ['proxies all the way', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['a proxy and an IPv6 client', '10.0.0.1', '2001:db8:2::1', '2001:db8:2::1'],
    ['an IPv6 proxy', '2001:db8:1::5', '203.0.113.9', '203.0.113.9'],
    ['IPv6 and IPv4 proxies', '2001:db8:1::5', '2001:db8:2::1, 10.0.0.1', '2001:db8:2::1'],
    ['an IPv6 neighbour of the proxies', '2001:db8:2::5', '203.0.113.9', '2001:db8:2::5'],
    ['an IPv4 neighbour of the proxies', '11.0.0.1', '203.0.113.9', '11.0.0.1'],
    ['spaces', '10.0.0.1', '  203.0.113.9  ,10.0.0.2 ', '203.0.113.9'],
  ])('with %s', (_, remote, forwarded, client) => {
    expect(addressOf(remote, forwarded)).toBe(client);
  });

  it.each([
    ['nothing', '', '10.0.0.1'],
    ['a name', 'localhost', '10.0.0.1'],
    ['"unknown"', 'unknown', '10.0.0.1'],
    ['a port', '203.0.113.9:4711', '10.0.0.1'],
    ['brackets', '[2001:db8:2::1]', '10.0.0.1'],
    ['a range', '203.0.113.0/24', '10.0.0.1'],
    ['a hole behind a proxy', '203.0.113.9, , 10.0.0.2', '10.0.0.2'],
    ['nonsense behind a proxy', '203.0.113.9, <script>, 10.0.0.2', '10.0.0.2'],
  ])('stops at the last address it was told of when there is %s', (_, forwarded, client) => {
    expect(addressOf('10.0.0.1', forwarded)).toBe(client);
  });

  it('reads a header that came several times as one', () => {
    const headers = { 'x-forwarded-for': ['198.51.100.1, 203.0.113.9', '10.0.0.2'] };
    expect(clientFrom(headers, '10.0.0.1', proxies).ipAddress).toBe('203.0.113.9');
    const web = new Headers();
    for (const value of headers['x-forwarded-for']) web.append('x-forwarded-for', value);
    expect(clientFrom(web, '10.0.0.1', proxies).ipAddress).toBe('203.0.113.9');
  });

  it.each([
    ['::ffff:203.0.113.9'],
    ['::FFFF:203.0.113.9'],
    ['::ffff:cb00:7109'],
    ['0:0:0:0:0:ffff:203.0.113.9'],
  ])('knows the IPv4 address in %s', (mapped) => {
    expect(addressOf(mapped)).toBe('203.0.113.9');
    expect(addressOf('10.0.0.1', mapped)).toBe('203.0.113.9');
  });

  it('knows a proxy by its mapped address', () => {
    expect(addressOf('::ffff:10.0.0.1', '203.0.113.9')).toBe('203.0.113.9');
    expect(addressOf('::ffff:203.0.113.9', '198.51.100.1')).toBe('203.0.113.9');
    const mapped = trustProxies(['::ffff:10.0.0.0/104', '::ffff:192.0.2.7']);
    expect(addressOf('10.0.0.1', '203.0.113.9', mapped)).toBe('203.0.113.9');
    expect(addressOf('192.0.2.7', '203.0.113.9', mapped)).toBe('203.0.113.9');
    expect(addressOf('11.0.0.1', '203.0.113.9', mapped)).toBe('11.0.0.1');
  });

  it('has one spelling for an IPv6 address', () => {
    expect(addressOf('2001:DB8:2:0:0:0:0:1')).toBe('2001:db8:2::1');
    expect(addressOf('2001:db8:1::5', '2001:0db8:0002::0001')).toBe('2001:db8:2::1');
  });

  it('takes a link-local address with its zone', () => {
    expect(addressOf('fe80::1%eth0', '203.0.113.9')).toBe('fe80::1');
    expect(addressOf('fe80::1%eth0', '203.0.113.9', trustProxies(['fe80::/10']))).toBe(
      '203.0.113.9',
    );
  });
});

describe('trustProxies', () => {
  it('trusts nobody when there are none', () => {
    expect(['127.0.0.1', '::1', ''].some(trustProxies([]))).toBe(false);
  });

  it.each([
    ['10.0.0.0/32', '10.0.0.0', '10.0.0.1'],
    ['10.0.0.0/31', '10.0.0.1', '10.0.0.2'],
    ['2001:db8::/127', '2001:db8::1', '2001:db8::2'],
    ['2001:db8::1', '2001:db8:0::1', '2001:db8::2'],
  ])('%s holds %s and not %s', (range, inside, outside) => {
    const trust = trustProxies([range]);
    expect([trust(inside), trust(outside)]).toEqual([true, false]);
  });

  it('takes everything, of one family, for /0 alone', () => {
    const trust = trustProxies(['0.0.0.0/0']);
    expect([trust('203.0.113.9'), trust('2001:db8::1')]).toEqual([true, false]);
  });

  it('does not trust what is no address', () => {
    expect(trustProxies(['0.0.0.0/0'])('localhost')).toBe(false);
  });

  it.each([
    '',
    'localhost',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8.5',
    '10.0.0.0/1e1',
    '10.0.0.0/8/8',
    '10.0.0.0 /8',
    '2001:db8::/129',
    '*',
  ])('refuses %j', (range) => {
    expect(() => trustProxies(['10.0.0.1', range])).toThrow(ConfigError);
  });
});
