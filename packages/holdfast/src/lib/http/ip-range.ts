import { isIP, SocketAddress } from 'node:net';

type IpFamily = 'ipv4' | 'ipv6';

/** An address, or with `bits` all that begin with so many of its bits. */
interface IpRange {
  readonly address: string;
  readonly family: IpFamily;
  readonly bits: number | null;
}

/** Reads an address or a CIDR range (RFC 4632, RFC 4291 section 2.3); `null` if it is neither. */
export function parseIpRange(text: string): IpRange | null {
  const [address = '', bits, ...rest] = text.split('/');
  const family = ipFamily(address);
  if (family === null || rest.length > 0) return null;
  if (bits === undefined) return { address, family, bits: null };
  const fits = /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 'ipv4' ? 32 : 128);
  return fits ? { address, family, bits: Number(bits) } : null;
}

export function ipFamily(address: string): IpFamily | null {
  const version = isIP(address);
  return version === 0 ? null : version === 4 ? 'ipv4' : 'ipv6';
}

/**
 * An IPv6 address as RFC 5952 writes it, without its zone; one that is mapped from IPv4 (RFC 4291,
 * section 2.5.5.2) as the IPv4 address. What is no address stays as it is.
 */
export function canonicalAddress(address: string): string {
  if (ipFamily(address) !== 'ipv6') return address;
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(canonical)?.[1] ?? canonical;
}
