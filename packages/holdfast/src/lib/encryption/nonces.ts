import { randomFillSync } from 'node:crypto';
import { startupSnapshot } from 'node:v8';

/** As NIST SP 800-38D recommends: 96 bits. */
export const nonceBytes = 12;

/** Drawn in batches: a call to the CSPRNG costs many times what the bytes of one nonce do. */
const pool = Buffer.alloc(340 * nonceBytes);
/** Up to here the pool is used up. Empty when the module is loaded: nothing is drawn before it is needed. */
let used = pool.length;

// A process that is started from a snapshot of this one begins with this one's memory, and two of them
// with the same. So nothing that was drawn goes into a snapshot.
if (startupSnapshot.isBuildingSnapshot()) {
  startupSnapshot.addSerializeCallback(() => {
    pool.fill(0);
    used = pool.length;
  });
}

/**
 * 12 random bytes that no one else gets, good until the next call.
 *
 * The pool belongs to this copy of the module. `child_process.fork`, `node:cluster` and workers each
 * load a module of their own, which begins with an empty pool; nothing of it is shared memory, so that
 * there is nothing to synchronise either. What copies a running process, memory and all (CRIU, a
 * snapshot of a virtual machine), copies unused nonces too: do that before the first encryption only.
 */
export function drawNonce(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += nonceBytes;
  return pool.subarray(used - nonceBytes, used);
}
