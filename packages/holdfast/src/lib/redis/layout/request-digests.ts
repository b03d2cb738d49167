import type { Codec } from '../../codec/codec.ts';
import type { Idempotency } from '../../store/turn-store.ts';
import { word } from './keys.ts';

/**
 * The digest of a keyed turn's request, in words: the first is what is stored, all are the same request.
 * Only a word under a key has a "." in it (`begin.lua`).
 */
export function digestWords(
  codec: Codec,
  sessionId: string,
  { key, requestDigest }: Idempotency,
): readonly [string, ...string[]] {
  // Digests, and the empty one of no request, are words already.
  const plain = requestDigest === '' ? '' : word(requestDigest);
  const [first, ...others] = codec.digests(plain, { sessionId, position: word(key) });
  return [`=${first}`, ...others.map((digest) => `=${digest}`)];
}

/** A stored word as it would be stored today. One under a key stays: what it was made of is not known. */
export function renewedDigest(
  codec: Codec,
  sessionId: string,
  position: string,
  stored: string,
): string {
  if (stored.includes('.')) return stored;
  return `=${codec.digests(stored.slice(1), { sessionId, position })[0]}`;
}
