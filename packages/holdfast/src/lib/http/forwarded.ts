import parseForwarded from 'forwarded-parse';
import { type IpAddress, parseIpAddress } from '../net/ip-address.ts';
import { type HeaderSource, readHeader } from './headers.ts';

/**
 * The addresses from which a request was forwarded, the nearest first: each was added by the proxy
 * before it, and `null` stands for what is no address. From `X-Forwarded-For`; only where that is
 * absent, as it never is behind a proxy that sets it, from `Forwarded` (RFC 7239).
 */
export function* forwardedFor(headers: HeaderSource): Generator<IpAddress | null> {
  const list = readHeader(headers, 'x-forwarded-for');
  if (list !== undefined) {
    for (const entry of list.split(',').reverse()) {
      const text = entry.trim();
      // Some proxies add the port of the connection, and to IPv6 the brackets that it needs.
      yield parseIpAddress(text) ?? addressOfNode(text);
    }
    return;
  }
  const forwarded = readHeader(headers, 'forwarded');
  if (forwarded === undefined) return;
  for (const element of lastFirst(forwarded)) yield addressOfNode(forOf(element));
}

/**
 * The elements of a `Forwarded` header, split at the commas that are in no quoted string. Read from
 * its end: the nearest proxy has added that, and nothing that a client wrote before it, a quote that
 * it left open say, can change how that is read.
 */
function* lastFirst(header: string): Generator<string> {
  let end = header.length;
  let quoted = false;
  for (let at = end - 1; at >= 0; at -= 1) {
    if (header[at] === '"' && !isEscaped(header, at)) quoted = !quoted;
    if (header[at] !== ',' || quoted) continue;
    yield header.slice(at + 1, end);
    end = at;
  }
  yield header.slice(0, end);
}

/** Whether the character is the second of a quoted pair (RFC 9110, section 5.6.4). */
function isEscaped(text: string, at: number): boolean {
  let from = at;
  while (text[from - 1] === '\\') from -= 1;
  return (at - from) % 2 === 1;
}

/** An address, in brackets if it is of IPv6, and maybe a port (RFC 7239, section 6). */
const node = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[\d.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/;

/** `null` for what is malformed, for `unknown`, and for the names that proxies go by. */
function addressOfNode(text: string): IpAddress | null {
  const { v4, v6 = '' } = node.exec(text)?.groups ?? {};
  return parseIpAddress(v4 ?? (v6.includes(':') ? v6 : ''));
}

function forOf(element: string): string {
  try {
    return parseForwarded(element.trim())[0]?.for ?? '';
  } catch {
    return '';
  }
}
