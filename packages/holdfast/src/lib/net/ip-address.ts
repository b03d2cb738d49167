import { isIP, isIPv4 } from 'node:net';
import ipaddr, { type IPv4, type IPv6 } from 'ipaddr.js';

/** An IPv4 or IPv6 address; never an IPv6 one that is mapped from IPv4. */
export type IpAddress = IPv4 | IPv6;

/**
 * Reads an address; `null` if it is none. The zone of an IPv6 address (RFC 4007, section 11) is left
 * out, and one that is mapped from IPv4 (RFC 4291, section 2.5.5.2) is the IPv4 address.
 */
export function parseIpAddress(text: string): IpAddress | null {
  // By itself the parser also takes 010.0.0.1 for 8.0.0.1, and 1 for 0.0.0.1.
  if (isIP(text) === 0) return null;
  const [address = ''] = text.split('%');
  return ipaddr.process(address);
}

/** The address as RFC 5952 writes it. */
export function writeIpAddress(address: IpAddress): string {
  return address.kind() === 'ipv4' ? address.toString() : (address as IPv6).toRFC5952String();
}

/** The address as RFC 5952 writes it, and as itself what is none. */
export function canonicalIpAddress(text: string): string {
  // Node takes only one spelling of it.
  if (isIPv4(text)) return text;
  const address = parseIpAddress(text);
  return address === null ? text : writeIpAddress(address);
}

/** All addresses that begin with the same so many bits. */
export interface IpRange {
  readonly first: IpAddress;
  readonly bits: number;
}

/** Reads an address or a CIDR range (RFC 4632, RFC 4291 section 2.3); `null` if it is neither. */
export function parseIpRange(text: string): IpRange | null {
  const [address = '', length, ...rest] = text.split('/');
  const first = parseIpAddress(address);
  if (first === null || rest.length > 0) return null;
  const all = first.kind() === 'ipv4' ? 32 : 128;
  if (length === undefined) return { first, bits: all };
  if (!/^\d{1,3}$/.test(length)) return null;
  // Of a mapped IPv4 address the first 96 bits are those of IPv6.
  const bits = isIP(address) === 6 && all === 32 ? Number(length) - 96 : Number(length);
  return bits >= 0 && bits <= all ? { first, bits } : null;
}

export function isInRange(address: IpAddress, { first, bits }: IpRange): boolean {
  return address.kind() === first.kind() && address.match(first, bits);
}
