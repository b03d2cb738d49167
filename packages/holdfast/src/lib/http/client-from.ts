import { ConfigError } from '../errors/errors.ts';
import type { ClientInfo } from '../manager/client-binding.ts';
import {
  canonicalIpAddress,
  isInRange,
  parseIpAddress,
  parseIpRange,
  writeIpAddress,
} from '../net/ip-address.ts';
import { forwardedFor } from './forwarded.ts';
import { type HeaderSource, readHeader } from './headers.ts';

/**
 * The proxies whose word is taken for where a request came from.
 * @param hop how many of them are nearer; 0 for the connection's other end.
 */
export type ProxyTrust = (address: string, hop: number) => boolean;

/**
 * Trusts the proxies at these addresses and CIDR ranges, or so many of them in front of the server,
 * wherever they are. To count is right only where no request reaches the server but through them all:
 * who gets past one is believed in its place.
 *
 * @throws ConfigError for what is neither an address nor a range, or no whole number from 0.
 */
export function trustProxies(proxies: readonly string[] | number): ProxyTrust {
  if (typeof proxies === 'number') {
    if (Number.isSafeInteger(proxies) && proxies >= 0) return (_, hop) => hop < proxies;
    throw new ConfigError('The number of trusted proxies must be a whole number from 0.');
  }
  const ranges = proxies.map((text) => {
    const range = parseIpRange(text);
    if (range === null) throw new ConfigError(`"${text}" is not an address or a CIDR range.`);
    return range;
  });
  if (ranges.length === 0) return trustNobody;
  return (text) => {
    const address = parseIpAddress(text);
    return address !== null && ranges.some((range) => isInRange(address, range));
  };
}

const trustNobody: ProxyTrust = () => false;

/**
 * The client behind a request. `X-Forwarded-For` (or, where there is none, `Forwarded`) is read from
 * the right, for as long as the address that added the entry is a trusted proxy: what a client writes
 * there itself is never believed. A proxy that sets `Forwarded` must therefore take away the
 * `X-Forwarded-For` that clients send.
 *
 * @param remoteAddress the address of the connection's other end.
 * @param trust which of them are proxies of one's own; none unless given.
 */
export function clientFrom(
  headers: HeaderSource,
  remoteAddress: string | undefined,
  trust: ProxyTrust = trustNobody,
): ClientInfo {
  const userAgent = readHeader(headers, 'user-agent');
  const ipAddress =
    remoteAddress === undefined ? undefined : behindProxies(headers, remoteAddress, trust);
  return {
    ...(ipAddress !== undefined && { ipAddress }),
    ...(userAgent !== undefined && { userAgent }),
  };
}

function behindProxies(headers: HeaderSource, remoteAddress: string, trust: ProxyTrust): string {
  let address = canonicalIpAddress(remoteAddress);
  let hop = 0;
  if (!trust(address, hop)) return address;
  for (const next of forwardedFor(headers)) {
    if (next === null) break;
    address = writeIpAddress(next);
    hop += 1;
    if (!trust(address, hop)) break;
  }
  return address;
}
