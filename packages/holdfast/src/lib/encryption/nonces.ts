import { randomFillSync } from 'node:crypto';

/**
 * Of AES-GCM (NIST SP 800-38D, section 5.2.1.1): 96 bits. Under one key 2^32 may be drawn at random
 * (section 8.3). A session has a key of its own, which its counters bound: each version writes at most
 * a state, credentials and an outcome, and each message and live event is in at most one value.
 */
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
