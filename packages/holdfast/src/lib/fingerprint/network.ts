import type { IPv4, IPv6 } from 'ipaddr.js';
import type { IpAddress } from '../net/ip-address.ts';

/**
 * The network that an address is in: the first 24 bits of an IPv4 address, the first 64 of an IPv6
 * address. Within it providers give new addresses to the same client, and clients to themselves (RFC 8981).
 */
export function networkOf(address: IpAddress): string {
  return address.kind() === 'ipv4'
    ? (address as IPv4).octets.slice(0, 3).join('.')
    : (address as IPv6).parts
        .slice(0, 4)
        .map((part) => part.toString(16))
        .join(':');
}
