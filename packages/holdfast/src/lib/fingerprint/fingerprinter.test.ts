import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors/errors.ts';
import type { JsonObject } from '../json/json-value.ts';
import type { ClientInfo } from '../manager/client-binding.ts';
import { Fingerprinter, type FingerprinterOptions } from './fingerprinter.ts';

const key = (keyId: string, byte = 1) => ({ keyId, key: Buffer.alloc(32, byte) });
const mac = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/';
const safari = (version: string) =>
  `${mac}605.1.15 (KHTML, like Gecko) Version/${version} Safari/605.1.15`;
const chrome = (version: number, system = 'Windows NT 10.0; Win64; x64', mobile = '') =>
  `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0${mobile} Safari/537.36`;
const android = chrome(140, 'Linux; Android 10; K', ' Mobile');
const iPhone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1';
const iPad = iPhone.replace('iPhone; CPU iPhone OS', 'iPad; CPU OS');

function compare(before: ClientInfo, now: ClientInfo, options: FingerprinterOptions = {}) {
  const fingerprinter = new Fingerprinter(options);
  return fingerprinter.differences(fingerprinter.capture(before), now);
}

describe('the same client', () => {
  it.each([
    ['Chrome 140 → 141', chrome(140), chrome(141)],
    ['Safari 18.5 → 18.6', safari('18.5'), safari('18.6')],
    ['Safari 18.6 → 26.0', safari('18.6'), safari('26.0')],
    ['iOS 18.5 → 18.6', iPhone, iPhone.replace('18_5', '18_6').replace('/18.5', '/18.6')],
    ['spaces around it', safari('18.5'), ` ${safari('18.5')}\t`],
    ['spaces in it', safari('18.5'), safari('18.5').replaceAll(' ', '  ')],
    ['capitals', safari('18.5'), safari('18.5').toUpperCase()],
    ['another phone of the kind', android, chrome(112, 'Linux; Android 13; Pixel 7', ' Mobile')],
    ['none, again', undefined, undefined],
    ['none, and an empty one', undefined, ''],
  ])('may have another User-Agent: %s', (_, before, now) => {
    expect(compare({ userAgent: before }, { userAgent: now })).toEqual([]);
  });

  it.each([
    ['in one IPv4 /24', '192.0.2.1', '192.0.2.254'],
    ['in one IPv6 /64', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2:ffff::1'],
    ['mapped to IPv6', '::ffff:192.0.2.1', '192.0.2.1'],
    ['mapped to IPv6 in hex', '192.0.2.1', '::FFFF:C000:0201'],
    ['written in another way', '2001:DB8:0:0:0:0:0:1', '2001:db8::2'],
    ['with another zone', 'fe80::1%eth0', 'fe80::1%2'],
    ['that nobody knows', undefined, undefined],
    ['that is none, and none', 'unknown', undefined],
  ])('may have another address: one %s', (_, before, now) => {
    expect(compare({ ipAddress: before }, { ipAddress: now })).toEqual([]);
  });
});

describe('another client', () => {
  it.each([
    ['another browser', chrome(140), `${chrome(140)} Edg/140.0.0.0`, ['browser']],
    ['another browser of Apple’s', safari('18.5'), chrome(140, mac.slice(13, -14)), ['browser']],
    ['another system', chrome(140), chrome(140, 'X11; Linux x86_64'), ['os']],
    ['another system and browser', chrome(140), safari('18.5'), ['browser', 'os']],
    ['a phone', chrome(140, 'X11; Linux x86_64'), android, ['os', 'device']],
    ['a tablet', android, chrome(140, 'Linux; Android 10; K'), ['device']],
    ['an iPad that asks for desktop pages', iPad, safari('18.5'), ['os', 'device']],
    ['a program', chrome(140), 'curl/8.5.0', ['browser', 'os', 'device']],
    ['another program', 'curl/8.5.0', 'Wget/1.21.4', ['browser']],
    ['no User-Agent any more', chrome(140), undefined, ['browser', 'os', 'device']],
    ['a User-Agent where there was none', undefined, 'curl/8.5.0', ['browser', 'os', 'device']],
  ])('is noticed by its User-Agent: %s', (_, before, now, differing) => {
    expect(compare({ userAgent: before }, { userAgent: now })).toEqual(differing);
  });

  it.each([
    ['the next IPv4 network', '192.0.2.1', '192.0.3.1'],
    ['the next IPv6 network', '2001:db8:1:2::1', '2001:db8:1:3::1'],
    ['IPv6 instead of IPv4', '192.0.2.1', '2001:db8::1'],
    ['no address any more', '192.0.2.1', undefined],
    ['no real address any more', '192.0.2.1', '192.0.2'],
    ['an address where there was none', undefined, '192.0.2.1'],
    ['zeros that some read as octal', '8.0.0.1', '010.0.0.1'],
  ])('is noticed by its address: %s', (_, before, now) => {
    expect(compare({ ipAddress: before }, { ipAddress: now })).toEqual(['ip']);
  });

  it('is named by all that differs', () => {
    const now = { ipAddress: '198.51.100.1', userAgent: android };
    const before = { ipAddress: '192.0.2.1', userAgent: safari('18.5') };
    expect(compare(before, now)).toEqual(['ip', 'browser', 'os', 'device']);
  });
});

describe('what is bound', () => {
  const before = { ipAddress: '192.0.2.1', userAgent: safari('18.5') };
  const now = { ipAddress: '198.51.100.1', userAgent: android };

  it('is what the options say', () => {
    expect(compare(before, now, { bind: ['ip'] })).toEqual(['ip']);
    expect(compare(before, now, { bind: ['user_agent'] })).toEqual(['browser', 'os', 'device']);
    expect(Object.keys(new Fingerprinter({ bind: ['ip'] }).capture(before))).toEqual(['key', 'ip']);
  });

  it('was bound then and is bound now', () => {
    const both = new Fingerprinter();
    const ip = new Fingerprinter({ bind: ['ip'] });
    expect(both.differences(ip.capture(before), now)).toEqual(['ip']);
    expect(ip.differences(both.capture(before), now)).toEqual(['ip']);
  });
});

describe('what is stored', () => {
  const client = { ipAddress: '192.0.2.1', userAgent: safari('18.5') };

  it('reveals nothing of the client', () => {
    const stored = new Fingerprinter({ keys: [key('k1')] }).capture(client);
    expect(stored).toEqual({
      key: 'k1',
      ip: expect.stringMatching(/^[\w-]{16}$/),
      browser: expect.stringMatching(/^[\w-]{16}$/),
      os: expect.stringMatching(/^[\w-]{16}$/),
      device: expect.stringMatching(/^[\w-]{16}$/),
    });
    expect(JSON.stringify(stored)).not.toMatch(/192|safari|mac|desktop/i);
  });

  it('has another hash for each feature and under each key', () => {
    // The same word for all three, which would show what is unknown.
    const odd = { userAgent: 'unknown' };
    const hashes = [[key('k')], [key('k', 2)], []].flatMap((keys) => {
      const { key: _, ...features } = new Fingerprinter({ keys }).capture(odd);
      return Object.values(features);
    });
    expect(new Set(hashes).size).toBe(12);
  });

  it('looks the same whether a feature is absent or not', () => {
    const length = (of: ClientInfo) => JSON.stringify(new Fingerprinter().capture(of)).length;
    expect(length({})).toBe(length(client));
  });
});

describe('keys', () => {
  const client = { ipAddress: '192.0.2.1', userAgent: safari('18.5') };
  const other = { ipAddress: '192.0.2.1', userAgent: android };
  const bound = (...keys: FingerprinterOptions['keys'] & object) =>
    new Fingerprinter({ keys }).capture(client);

  it('are compared whichever is the first', () => {
    const rotated = new Fingerprinter({ keys: [key('new', 2), key('old')] });
    expect(rotated.capture(client).key).toBe('new');
    for (const stored of [bound(key('old')), bound(key('new', 2))]) {
      expect(rotated.differences(stored, client)).toEqual([]);
      expect(rotated.differences(stored, other)).toEqual(['browser', 'os', 'device']);
    }
  });

  it('may be set when there were none', () => {
    const keyed = new Fingerprinter({ keys: [key('first')] });
    expect(keyed.differences(bound(), client)).toEqual([]);
    expect(keyed.differences(bound(), other)).toEqual(['browser', 'os', 'device']);
  });

  it('that are gone leave nothing to compare, which is no match', () => {
    const fingerprinter = new Fingerprinter({ keys: [key('new', 2)] });
    expect(fingerprinter.differences(bound(key('old')), client)).toEqual(['unknown_key']);
    expect(new Fingerprinter().differences(bound(key('old')), client)).toEqual(['unknown_key']);
  });

  it('of the same id but not the same are not taken for each other', () => {
    const impostor = new Fingerprinter({ keys: [key('k', 2)] });
    expect(impostor.differences(bound(key('k')), client)).toEqual([
      'ip',
      'browser',
      'os',
      'device',
    ]);
  });

  it.each([['text'], [7], [true], [['ip']], [{}], [{ key: 7 }], [{ key: '__proto__' }]])(
    'cannot be found for what another binding stored: %j',
    (stored) => {
      expect(new Fingerprinter().differences(stored as JsonObject, client)).toEqual([
        'unknown_key',
      ]);
    },
  );

  it('do not appear where a fingerprinter is printed', () => {
    const secret = Buffer.from('printed-nowhere-printed-nowhere-');
    const fingerprinter = new Fingerprinter({ keys: [{ keyId: 'k', key: secret }] });
    fingerprinter.capture(client);
    const printed = inspect(fingerprinter, { depth: 9, showHidden: true });
    expect(printed + JSON.stringify(fingerprinter)).not.toMatch(/printed-nowhere|70 72 69/);
  });

  it.each([
    ['a short one', [{ keyId: 'k', key: Buffer.alloc(31) }]],
    ['a text', [{ keyId: 'k', key: 'x'.repeat(32) }]],
    ['no id', [{ keyId: '', key: Buffer.alloc(32) }]],
    ['an id with spaces', [{ keyId: 'a b', key: Buffer.alloc(32) }]],
    ['one id twice', [key('k'), key('k', 2)]],
  ])('are refused: %s', (_, keys) => {
    const make = () => new Fingerprinter({ keys } as FingerprinterOptions);
    expect(make).toThrow(ConfigError);
  });

  it.each([[[]], [['ip', 'cookies']]])('bind %j is refused', (bind) => {
    expect(() => new Fingerprinter({ bind } as FingerprinterOptions)).toThrow(ConfigError);
  });
});
