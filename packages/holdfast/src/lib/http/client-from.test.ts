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
    ['the ports of connections', '10.0.0.1', '203.0.113.9:4711, 10.0.0.2:80', '203.0.113.9'],
    ['a port behind IPv6', '10.0.0.1', '[2001:db8:2::1]:4711', '2001:db8:2::1'],
    ['brackets', '10.0.0.1', '[2001:db8:2::1]', '2001:db8:2::1'],
  ])('with %s', (_, remote, forwarded, client) => {
    expect(addressOf(remote, forwarded)).toBe(client);
  });

  it.each([
    ['nothing', '', '10.0.0.1'],
    ['a name', 'localhost', '10.0.0.1'],
    ['"unknown"', 'unknown', '10.0.0.1'],
    ['what is no port', '203.0.113.9:https', '10.0.0.1'],
    ['too long a port', '203.0.113.9:471147', '10.0.0.1'],
    ['IPv4 in brackets', '[203.0.113.9]', '10.0.0.1'],
    ['a bracket left open', '[2001:db8:2::1', '10.0.0.1'],
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
    expect(['127.0.0.1', '::1', ''].some((address) => trustProxies([])(address, 0))).toBe(false);
  });

  it.each([
    ['10.0.0.0/32', '10.0.0.0', '10.0.0.1'],
    ['10.0.0.0/31', '10.0.0.1', '10.0.0.2'],
    ['2001:db8::/127', '2001:db8::1', '2001:db8::2'],
    ['2001:db8::1', '2001:db8:0::1', '2001:db8::2'],
  ])('%s holds %s and not %s', (range, inside, outside) => {
    const trust = trustProxies([range]);
    expect([trust(inside, 0), trust(outside, 0)]).toEqual([true, false]);
  });

  it('takes everything, of one family, for /0 alone', () => {
    const trust = trustProxies(['0.0.0.0/0']);
    expect([trust('203.0.113.9', 0), trust('2001:db8::1', 0)]).toEqual([true, false]);
  });

  it('does not trust what is no address', () => {
    expect(trustProxies(['0.0.0.0/0'])('localhost', 0)).toBe(false);
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

  it.each([-1, 1.5, Number.NaN, Infinity])('refuses the number %d', (hops) => {
    expect(() => trustProxies(hops)).toThrow(ConfigError);
  });
});

describe('proxies that are counted', () => {
  const header = '192.0.2.66, 203.0.113.9, 198.51.100.2, 10.0.0.3';

  it.each([
    ['none', 0, header, '10.0.0.1'],
    ['one', 1, header, '10.0.0.3'],
    ['two', 2, header, '198.51.100.2'],
    ['three', 3, header, '203.0.113.9'],
    ['more than there are entries', 9, '203.0.113.9', '203.0.113.9'],
    ['one, and no entry', 1, undefined, '10.0.0.1'],
    ['two, and nonsense between them', 2, '203.0.113.9, nonsense', '10.0.0.1'],
  ])('with %s', (_, hops, forwarded, client) => {
    expect(addressOf('10.0.0.1', forwarded, trustProxies(hops))).toBe(client);
  });

  it('are counted in Forwarded too', () => {
    const headers = { forwarded: 'for=192.0.2.66, for=203.0.113.9, for=10.0.0.3' };
    expect(clientFrom(headers, '10.0.0.1', trustProxies(2)).ipAddress).toBe('203.0.113.9');
  });
});

describe('Forwarded (RFC 7239)', () => {
  const behind = (forwarded: string | string[], more: Record<string, string> = {}) =>
    clientFrom({ forwarded, ...more }, '10.0.0.1', proxies).ipAddress;

  it.each([
    ['one proxy', 'for=203.0.113.9', '203.0.113.9'],
    ['a name in capitals', 'For=203.0.113.9', '203.0.113.9'],
    ['a port', 'for="203.0.113.9:4711"', '203.0.113.9'],
    ['a port that is hidden', 'for="203.0.113.9:_gazonk"', '203.0.113.9'],
    ['IPv6', 'for="[2001:db8:2::1]"', '2001:db8:2::1'],
    ['IPv6 and a port', 'For="[2001:DB8:2::17]:4711"', '2001:db8:2::17'],
    ['IPv4 mapped to IPv6', 'for="[::ffff:203.0.113.9]"', '203.0.113.9'],
    ['more than the client', 'for=203.0.113.9;proto=http;by=203.0.113.43', '203.0.113.9'],
    ['the client last', 'proto=https; host="a.example"; for=203.0.113.9', '203.0.113.9'],
    ['commas and quotes in quotes', 'for=203.0.113.9;host="a, for=1.1.1.1, \\"b"', '203.0.113.9'],
    ['a backslash in quotes', 'for=203.0.113.9;host="a\\\\"', '203.0.113.9'],
    ['several proxies', 'for=203.0.113.9, for=192.0.2.7,for=10.9.9.9', '203.0.113.9'],
    ['what the client wrote itself', 'for=198.51.100.1, for=203.0.113.9', '203.0.113.9'],
    ['a client that names a proxy', 'for=10.0.0.5, for=203.0.113.9', '203.0.113.9'],
    ['a quote that the client left open', 'for="198.51.100.1, for=203.0.113.9', '203.0.113.9'],
    ['a quote left open before quotes', 'for=1.1.1.1;x="a, for="[2001:db8:2::1]"', '2001:db8:2::1'],
    ['a backslash at the end of the client’s part', 'for="\\, for=203.0.113.9', '203.0.113.9'],
  ])('with %s', (_, forwarded, client) => {
    expect(behind(forwarded)).toBe(client);
  });

  it.each([
    ['nothing', ''],
    ['unknown', 'for=unknown'],
    ['a name of the proxy’s own', 'for=_mQ1'],
    ['that with a port', 'for="_mQ1:4711"'],
    ['no for', 'proto=https;by=203.0.113.43'],
    ['IPv6 without quotes', 'for=[2001:db8:2::1]'],
    ['IPv6 without brackets', 'for="2001:db8:2::1"'],
    ['IPv4 in brackets', 'for="[203.0.113.9]"'],
    ['a quote left open', 'for="203.0.113.9'],
    ['spaces around the equals sign', 'for = 203.0.113.9'],
    ['a hole', 'for=203.0.113.9,'],
    ['an address alone', '203.0.113.9'],
    ['a name like the prototype’s', '__proto__=203.0.113.9'],
  ])('stops at the proxy when there is %s', (_, forwarded) => {
    expect(behind(forwarded)).toBe('10.0.0.1');
  });

  it('that came several times is read as one', () => {
    expect(behind(['for=198.51.100.1, for=203.0.113.9', 'for=10.0.0.2'])).toBe('203.0.113.9');
  });

  it('is not read of a client that is no proxy', () => {
    expect(clientFrom({ forwarded: 'for=198.51.100.1' }, '203.0.113.9', proxies).ipAddress).toBe(
      '203.0.113.9',
    );
  });

  it.each(['203.0.113.9', '', 'unknown'])(
    'is not read where there is X-Forwarded-For: %j',
    (list) => {
      const client = behind('for=198.51.100.1', { 'x-forwarded-for': list });
      expect(client).toBe(list === '203.0.113.9' ? list : '10.0.0.1');
    },
  );
});
