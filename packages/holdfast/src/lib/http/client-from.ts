import { BlockList } from 'node:net';
import { ConfigError } from '../errors/errors.ts';
import type { ClientInfo } from '../manager/client-binding.ts';
import { type HeaderSource, readHeader } from './headers.ts';
import { canonicalAddress, ipFamily, parseIpRange } from './ip-range.ts';

/** The proxies whose word is taken for where a request came from. */
export type ProxyTrust = (address: string) => boolean;

/**
 * Trusts the proxies at these addresses and CIDR ranges.
 * @throws ConfigError for one that is neither.
 */
export function trustProxies(ranges: readonly string[]): ProxyTrust {
  const list = new BlockList();
  for (const text of ranges) {
    const range = parseIpRange(text);
    if (range === null) throw new ConfigError(`"${text}" is not an address or a CIDR range.`);
    const { address, family, bits } = range;
    if (bits === null) list.addAddress(address, family);
    else list.addSubnet(address, bits, family);
  }
  return (address) => {
    const family = ipFamily(address);
    return family !== null && list.check(address, family);
  };
}

/**
 * The client behind a request. `X-Forwarded-For` is read from the right, for as long as the address
 * that added the entry is a trusted proxy: what a client writes there itself is never believed.
 *
 * @param remoteAddress the address of the connection's other end.
 * @param trust which of them are proxies of one's own; none unless given.
 */
export function clientFrom(
  headers: HeaderSource,
  remoteAddress: string | undefined,
  trust: ProxyTrust = () => false,
): ClientInfo {
  const userAgent = readHeader(headers, 'user-agent');
  let address = remoteAddress === undefined ? undefined : canonicalAddress(remoteAddress);
  const forwarded = readHeader(headers, 'x-forwarded-for')?.split(',') ?? [];
  for (const entry of forwarded.reverse()) {
    if (address === undefined || !trust(address)) break;
    const next = canonicalAddress(entry.trim());
    if (ipFamily(next) === null) break;
    address = next;
  }
  return {
    ...(address !== undefined && { ipAddress: address }),
    ...(userAgent !== undefined && { userAgent }),
  };
}
