import { randomFillSync } from 'node:crypto';

/** Of AES-GCM (NIST SP 800-38D, section 5.2.1.1): 96 bits. */
export const nonceBytes = 12;

/** One call to the CSPRNG costs as much as a hundred nonces: they are drawn so many at a time. */
const pool = Buffer.allocUnsafeSlow(nonceBytes * 512);
let used = pool.length;

/**
 * Writes a fresh random nonce into `target`. Each byte of the pool is handed out once; a child process
 * (`fork` starts a program anew) and a worker thread have a module, and so a pool, of their own.
 */
export function writeNonce(target: Buffer, at: number): void {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  pool.copy(target, at, used, used + nonceBytes);
  used += nonceBytes;
}

/**
 * How often one key may encrypt with random nonces of 96 bits: 2^32 (NIST SP 800-38D, section 8.3).
 *
 * A session has a key of its own, and its counters bound what was encrypted with it: each version,
 * message and live event is in at most one value for each try to write it, and each version writes at
 * most three (state, credentials, outcome).
 */
export const maxEncryptions = 2 ** 32;

/** At most so many values were encrypted for a session, when each write was tried `tries` times. */
export function encryptionBound(
  session: { readonly version: number; readonly lastSeq: number; readonly lastEventSeq: number },
  tries: number,
): number {
  const { version, lastSeq, lastEventSeq } = session;
  return (3 * version + lastSeq + lastEventSeq) * tries;
}
