import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import {
  bytesOfToken,
  type FernetKey,
  fernetKey,
  isAuthentic,
  openToken,
  readToken,
} from '../../encryption/fernet-token.ts';
import { DecryptionError } from '../../errors/errors.ts';
import { UnreadableOriginal } from './unreadable-original.ts';

const keyBytes = 32;
const salt = 'customer_support_ai_salt_v1';
const rounds = 100_000;
const remedy = 'give the key that Python had in PYTHON_V2_ENCRYPTION_KEY or --old-key-file';

const derive = promisify(pbkdf2);

/**
 * What opens the values of Python v2.0. It took its key for a Fernet key if it was one, and else for a
 * password (PBKDF2-HMAC-SHA256, 100,000 rounds, one salt for all). Here each text is both: which of the
 * two made a token is what the token's HMAC says.
 */
export class OriginalKeys {
  readonly #keys: readonly FernetKey[];

  private constructor(keys: readonly FernetKey[]) {
    this.#keys = keys;
  }

  /** @param texts keys or passwords as Python had them, of which each value needs one */
  static async of(texts: readonly string[]): Promise<OriginalKeys> {
    const keys: FernetKey[] = [];
    for (const text of new Set(texts)) {
      // As lenient as Python: what is no base64 is passed over.
      const bytes = Buffer.from(text, 'base64');
      if (bytes.length === keyBytes) keys.push(fernetKey(bytes));
      keys.push(fernetKey(await derive(text, salt, rounds, keyBytes, 'sha256')));
    }
    return new OriginalKeys(keys);
  }

  /**
   * The text of an encrypted value: base64 of a Fernet token. When the token was made does not matter.
   * @throws UnreadableOriginal
   */
  open(value: string): string {
    const token = tokenIn(value);
    if (this.#keys.length === 0) {
      throw new UnreadableOriginal(`is encrypted: ${remedy}`);
    }
    const key = this.#keys.find((each) => isAuthentic(each, token));
    if (key === undefined) {
      throw new UnreadableOriginal(
        `was encrypted with another key than the one given, or changed: ${remedy}`,
      );
    }
    try {
      return openToken(key, token).toString();
    } catch (error) {
      if (!(error instanceof DecryptionError)) throw error;
      throw new UnreadableOriginal('is a Fernet token that is not well-formed');
    }
  }
}

function tokenIn(value: string) {
  try {
    return readToken(bytesOfToken(Buffer.from(value, 'base64').toString('latin1')));
  } catch (error) {
    if (!(error instanceof DecryptionError)) throw error;
    throw new UnreadableOriginal('is neither a JSON object nor an encrypted one');
  }
}
