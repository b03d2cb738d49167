import type { CipherName } from '../encryption/create-codec.ts';
import { KeyRing } from '../encryption/key-ring.ts';
import { ConfigError } from '../errors/errors.ts';
import { sentenceOf } from '../errors/sentence-of.ts';
import { readNamed } from './secret.ts';
import type { Settings } from './settings.ts';

/** How stored values are encrypted. The keys are inside the ring, which shows nothing of them. */
export interface EncryptionConfig {
  readonly ring: KeyRing;
  readonly cipher: CipherName;
  readonly allowPlaintext: boolean;
  /** Where the keys came from, to be read again; undefined for keys from the environment. */
  readonly keyFile: string | undefined;
}

/**
 * On where there is a key. Switched off, what is encrypted can still be read by the keys that there are.
 * @param wrong gets a sentence for each thing that cannot be used, without keys
 */
export function readEncryptionConfig(
  settings: Settings,
  wrong: string[],
): EncryptionConfig | undefined {
  const { SESSION_ENCRYPTION_ENABLED: enabled, SESSION_ENCRYPTION_KEY_FILE: keyFile } = settings;
  const source = keyFile === undefined ? 'SESSION_ENCRYPTION_KEY' : 'SESSION_ENCRYPTION_KEY_FILE';
  try {
    const text = keysOf(settings);
    if (text === undefined) {
      if (enabled) {
        wrong.push(
          'SESSION_ENCRYPTION_ENABLED asks for encryption, and there is no key: set SESSION_ENCRYPTION_KEY or SESSION_ENCRYPTION_KEY_FILE',
        );
      }
      return undefined;
    }
    return {
      ring: KeyRing.parse(text, source),
      cipher: enabled === false ? 'none' : settings.SESSION_ENCRYPTION_CIPHER,
      allowPlaintext: enabled === false || settings.SESSION_ENCRYPTION_ALLOW_PLAINTEXT,
      keyFile,
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    wrong.push(sentenceOf(error).replace(/\.$/, ''));
    return undefined;
  }
}

function keysOf(settings: Settings): string | undefined {
  const { SESSION_ENCRYPTION_KEY: given, SESSION_ENCRYPTION_KEY_FILE: path } = settings;
  if (path === undefined) return given;
  if (given === undefined) return readKeyFile(path);
  throw new ConfigError(
    'SESSION_ENCRYPTION_KEY and SESSION_ENCRYPTION_KEY_FILE are both set: leave one out.',
  );
}

/** One key a line, or separated by commas. */
function readKeyFile(path: string): string {
  const text = readNamed('SESSION_ENCRYPTION_KEY_FILE', path);
  const keys = text.split(/[\n,]/).flatMap((key) => key.trim() || []);
  if (keys.length === 0)
    throw new ConfigError('SESSION_ENCRYPTION_KEY_FILE names a file that holds no key.');
  return keys.join(',');
}

/**
 * Reads the file of encryption keys again, after a SIGHUP say. What is encrypted from then on is with
 * its first key.
 *
 * @returns the ids of the keys that there are now; `null` when they are not from a file.
 * @throws ConfigError when the file is wrong: the keys stay as they were.
 */
export function rereadKeys({
  encryption,
}: {
  readonly encryption: EncryptionConfig | undefined;
}): readonly string[] | null {
  if (encryption?.keyFile === undefined) return null;
  const { ring, keyFile } = encryption;
  ring.replace(readKeyFile(keyFile));
  return ring.keyIds;
}
