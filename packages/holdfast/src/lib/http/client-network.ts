import { networkOf } from '../fingerprint/network.ts';
import { parseIpAddress, writeIpAddress } from '../net/ip-address.ts';

/**
 * What to count a client's requests by: an IPv4 address, or the first 64 bits of an IPv6 one, of which a
 * client has all addresses. `null` for what is no address.
 */
export function clientNetwork(address: string | undefined): string | null {
  const parsed = address === undefined ? null : parseIpAddress(address);
  if (parsed === null) return null;
  return parsed.kind() === 'ipv4' ? writeIpAddress(parsed) : `${networkOf(parsed)}::/64`;
}
