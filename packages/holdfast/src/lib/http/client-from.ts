import { BlockList, isIP } from 'node:net';
import { ConfigError } from '../errors/errors.ts';
import type { ClientInfo } from '../manager/client-binding.ts';
import { type HeaderSource, readHeader } from './headers.ts';

/** The proxies whose word is taken for where a request came from. */
export type ProxyTrust = (address: string) => boolean;

/**
 * Trusts the proxies at these addresses and CIDR ranges.
 * @throws ConfigError for one that is neither.
 */
export function trustProxies(ranges: readonly string[]): ProxyTrust {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = familyOf(address);
    if (family === null) throw new ConfigError(`${range} is not an address or a CIDR range.`);
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    const family = familyOf(address);
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
  let address = remoteAddress === undefined ? undefined : withoutMapping(remoteAddress);
  const forwarded = readHeader(headers, 'x-forwarded-for')?.split(',') ?? [];
  for (const entry of forwarded.reverse()) {
    if (address === undefined || !trust(address)) break;
    const next = withoutMapping(entry.trim());
    if (isIP(next) === 0) break;
    address = next;
  }
  return {
    ...(address !== undefined && { ipAddress: address }),
    ...(userAgent !== undefined && { userAgent }),
  };
}

/** An IPv4 address mapped into IPv6 (RFC 4291, section 2.5.5.2) is the IPv4 address. */
function withoutMapping(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? address;
}

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  const version = isIP(address);
  return version === 0 ? null : version === 4 ? 'ipv4' : 'ipv6';
}
