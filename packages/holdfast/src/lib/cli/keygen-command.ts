import { exitCodes, type Terminal } from './terminal.ts';

export interface KeygenOptions {
  readonly fernet?: boolean;
  readonly json?: boolean;
}

/** `holdfast keygen`: a random key alone on a line, so that a script can take it as it is. */
export async function keygen(
  { fernet: asFernet, json }: KeygenOptions,
  { out, err }: Terminal,
): Promise<number> {
  const { generateKey } = await import('../encryption/parse-key.ts');
  const { fernet } = await import('../encryption/fernet.ts');
  const { KeyRing } = await import('../encryption/key-ring.ts');
  const key = asFernet ? fernet.generateKey() : generateKey();
  const keyId = KeyRing.parse(key).primary.id;
  out.write(json ? `${JSON.stringify({ key, keyId })}\n` : `${key}\n`);
  if (!json && out.isTTY) {
    err.write(
      `Its id, as logs and stats show it, is ${keyId}.\nSet SESSION_ENCRYPTION_KEY to it, or put it into the file that\nSESSION_ENCRYPTION_KEY_FILE names. Who loses it loses the sessions.\n`,
    );
  }
  return exitCodes.done;
}
