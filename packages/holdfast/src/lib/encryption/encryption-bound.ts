/**
 * The most encryptions under one key of AES-GCM with random nonces of 96 bits: 2^32, so that the same
 * nonce comes twice with a probability of at most 2^-32 (NIST SP 800-38D, section 8.3). A session's
 * key is its own, and a new one with each incarnation and each key of the ring.
 */
export const maxEncryptions = 2 ** 32;

/**
 * Writes that were refused have used up nonces and leave no trace: three of four encryptions may be
 * such.
 */
const attemptsPerWrite = 4;

/**
 * The most encryptions that a session can have had under its key, by its own counters: a write encrypts
 * the state, the credentials, and an outcome or the effects of a checkpoint at most once each, a message and
 * a live event at most one piece each. Compare it with `maxEncryptions`.
 */
export function encryptionsOf(session: {
  /** Writes of the session. */
  readonly version: number;
  /** Number of its last message. */
  readonly lastSeq: number;
  /** Number of its last live event. */
  readonly lastEventSeq: number;
}): number {
  const { version, lastSeq, lastEventSeq } = session;
  return attemptsPerWrite * (3 * version + lastSeq + lastEventSeq);
}
