import type { Place } from '../place.ts';
import type { RedisReply } from '../redis-connection.ts';

export const slotCount = 16_384;

/** From and to which slot, both included, a primary has them. */
export interface SlotRange {
  readonly from: number;
  readonly to: number;
  readonly primary: Place;
  readonly replicas: readonly Place[];
}

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

/**
 * The slot of a key: CRC-16/XMODEM of what stands in its first braces, or of all of it where those are
 * missing or empty, modulo 16,384 (Redis cluster specification, "Key distribution model").
 */
export function slotOf(key: string): number {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key;
  let crc = 0;
  for (const byte of Buffer.from(hashed)) {
    crc = ((crc << 8) & 0xffff) ^ (table[(crc >> 8) ^ byte] ?? 0);
  }
  return crc % slotCount;
}

/**
 * The reply to `CLUSTER SLOTS`. @param asked the host that was asked: a node that does not know its own
 * address leaves it out
 */
export function parseSlots(reply: RedisReply, asked: string): SlotRange[] {
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((range): SlotRange[] => {
    if (!Array.isArray(range)) return [];
    const [from, to, ...nodes] = range;
    const places = nodes.flatMap((node): Place[] => {
      if (!Array.isArray(node)) return [];
      const host = String(node[0] ?? '');
      const isKnown = host !== '' && host !== '?';
      return [{ host: isKnown ? host : asked, port: Number(node[1]) }];
    });
    const [primary, ...replicas] = places;
    if (typeof from !== 'number' || typeof to !== 'number' || primary === undefined) return [];
    return [{ from, to, primary, replicas }];
  });
}

/** What `MOVED 42 host:port` and `ASK 42 host:port` say; null for another error. */
export function parseRedirect(
  message: string,
  asked: string,
): { readonly slot: number; readonly place: Place } | null {
  const [, slot, host, port] = /^(?:MOVED|ASK) (\d+) (.*):(\d+)$/.exec(message) ?? [];
  if (slot === undefined || port === undefined) return null;
  const bare = host?.replace(/^\[(.*)\]$/, '$1');
  const isKnown = bare !== undefined && bare !== '' && bare !== '?';
  return { slot: Number(slot), place: { host: isKnown ? bare : asked, port: Number(port) } };
}
