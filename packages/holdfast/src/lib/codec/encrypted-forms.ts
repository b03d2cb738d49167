/** The first byte of an AES-256-GCM envelope. No JSON begins with it, and no Fernet token. */
export const envelopeVersion = 1;

/** The first byte of a Fernet token. */
export const tokenVersion = 0x80;
