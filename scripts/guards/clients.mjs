// @ts-check
import { library } from './guard.mjs';

const fingerprints = `${library}/lib/fingerprint/fingerprinter.test.ts`;
const proxies = `${library}/lib/http/client-from.test.ts`;

/**
 * Of what is told of clients by their requests.
 * @type {readonly import('./guard.mjs').Guard[]}
 */
export const clientGuards = [
  {
    name: 'the refusal of a fingerprint under a key that is gone',
    file: 'lib/fingerprint/fingerprinter.ts',
    guard: "if (key === undefined) return ['unknown_key'];",
    without: 'if (key === undefined) return [];',
    test: fingerprints,
    notices: 'that are gone leave nothing to compare, which is no match',
  },
  {
    name: 'the comparison of networks',
    file: 'lib/fingerprint/fingerprinter.ts',
    guard: 'if (this.#bindsIp && differs(stored.ip, key.network(ipAddress)))',
    without: 'if (this.#bindsIp && differs(undefined, key.network(ipAddress)))',
    test: fingerprints,
    notices: 'is noticed by its address: the next IPv4 network',
  },
  {
    name: 'the key of a fingerprint',
    file: 'lib/fingerprint/feature-key.ts',
    guard: 'this.#key = createSecretKey(key);',
    without: 'this.#key = createSecretKey(Buffer.alloc(key.length));',
    test: fingerprints,
    notices: 'has another hash for each feature and under each key',
  },
  {
    name: 'the feature in its hash',
    file: 'lib/fingerprint/feature-key.ts',
    guard: "os: this.#hash('os', os),",
    without: "os: this.#hash('device', os),",
    test: fingerprints,
    notices: 'has another hash for each feature and under each key',
  },
  {
    name: 'the absence of a User-Agent',
    file: 'lib/fingerprint/user-agent.ts',
    guard: "{ browser: '', os: '', device: '' }",
    without: "{ browser: 'curl', os: 'unknown', device: 'unknown' }",
    test: fingerprints,
    notices: 'is noticed by its User-Agent: a User-Agent where there was none',
  },
  {
    name: 'IPv4 addresses mapped to IPv6',
    file: 'lib/net/ip-address.ts',
    guard: 'return ipaddr.process(address);',
    without: 'return ipaddr.parse(address);',
    test: fingerprints,
    notices: 'may have another address: one mapped to IPv6',
  },
  {
    name: 'the refusal of addresses that only look like one',
    file: 'lib/net/ip-address.ts',
    guard: 'if (isIP(text) === 0) return null;',
    without: 'if (isIP(text) === 0 && !ipaddr.isValid(text)) return null;',
    test: fingerprints,
    notices: 'is noticed by its address: zeros that some read as octal',
  },
  {
    name: 'the trust in who connects',
    file: 'lib/http/client-from.ts',
    guard: 'if (!trust(address, hop)) return address;',
    without: '',
    test: proxies,
    notices: 'believes no X-Forwarded-For unless it is told of a proxy',
  },
  {
    name: 'the trust in each further proxy',
    file: 'lib/http/client-from.ts',
    guard: '    if (!trust(address, hop)) break;\n',
    without: '',
    test: proxies,
    notices: 'with what the client wrote itself',
  },
  {
    name: 'the number of trusted proxies',
    file: 'lib/http/client-from.ts',
    guard: 'hop < proxies',
    without: 'hop <= proxies',
    test: proxies,
    notices: 'with none',
  },
  {
    name: 'the order of X-Forwarded-For',
    file: 'lib/http/forwarded.ts',
    guard: "list.split(',').reverse()",
    without: "list.split(',')",
    test: proxies,
    notices: 'with what the client wrote itself',
  },
  {
    name: 'the one header that is read',
    file: 'lib/http/forwarded.ts',
    guard: 'if (list !== undefined) {',
    without: "if (list !== undefined && readHeader(headers, 'forwarded') === undefined) {",
    test: proxies,
    notices: 'is not read where there is X-Forwarded-For: "203.0.113.9"',
  },
  {
    name: 'the quotes in Forwarded',
    file: 'lib/http/forwarded.ts',
    guard: "if (header[at] !== ',' || quoted) continue;",
    without: "if (header[at] !== ',') continue;",
    test: proxies,
    notices: 'with commas and quotes in quotes',
  },
  {
    name: 'the escaped quotes in Forwarded',
    file: 'lib/http/forwarded.ts',
    guard: "if (header[at] === '\"' && !isEscaped(header, at)) quoted = !quoted;",
    without: "if (header[at] === '\"') quoted = !quoted;",
    test: proxies,
    notices: 'with commas and quotes in quotes',
  },
];
