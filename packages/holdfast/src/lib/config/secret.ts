import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { ConfigError } from '../errors/errors.ts';
import { whyUnreadable } from './why-unreadable.ts';

interface SecretFile {
  /** The setting that names it. */
  readonly setting: string;
  readonly path: string;
  /** What it should hold, for who reads that it does not. */
  readonly what: string;
  readonly minLength: number;
  /** Whether it is sent in a header, which cannot hold everything. */
  readonly isForHeaders?: boolean;
}

/** What a header can hold, in one word and the same for all who read it. */
export const headerText = /^[\x21-\x7e]+$/;
export const headerTextRule = 'must be visible ASCII characters, as headers can hold them';

const shown = '[secret]';

/**
 * A secret that may be replaced while it is in use, where it is from a file: whoever needs it asks for it
 * each time. Logging or serialising it shows nothing.
 */
export class Secret {
  #value: string;
  readonly #file: SecretFile | undefined;

  private constructor(value: string, file: SecretFile | undefined) {
    this.#value = value;
    this.#file = file;
  }

  static of(value: string): Secret {
    return new Secret(value, undefined);
  }

  /** @throws ConfigError for a file that cannot be read, or does not hold what it should; without its content */
  static inFile(file: SecretFile): Secret {
    return new Secret(read(file), file);
  }

  get value(): string {
    return this.#value;
  }

  /** The setting that names its file; undefined where it is from none. */
  get setting(): string | undefined {
    return this.#file?.setting;
  }

  /**
   * Reads its file again. @returns what takes over what was read. @throws ConfigError; then it stays as it was
   */
  reread(): () => void {
    const value = this.#file === undefined ? this.#value : read(this.#file);
    return () => {
      this.#value = value;
    };
  }

  toJSON(): string {
    return shown;
  }

  toString(): string {
    return shown;
  }

  [inspect.custom](): string {
    return shown;
  }
}

function read({ setting, path, what, minLength, isForHeaders = false }: SecretFile): string {
  // Editors and `echo` end a file with a newline; a second one would be the secret's own.
  const secret = readNamed(setting, path).replace(/\r?\n$/, '');
  if (secret === '') throw new ConfigError(`${setting} names a file that holds no ${what}.`);
  const refuse = (why: string) => new ConfigError(`${setting} names a file whose content ${why}.`);
  if (secret.length < minLength) throw refuse(`must have ${minLength} characters or more`);
  if (isForHeaders && !headerText.test(secret)) throw refuse(headerTextRule);
  return secret;
}

/** The content of a file that a setting names. @throws ConfigError, without its path */
export function readNamed(setting: string, path: string): string {
  try {
    // Some editors begin a file with a byte order mark, which is no part of what it holds.
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw new ConfigError(
      `${setting} names a file that could not be read (${whyUnreadable(error)}).`,
    );
  }
}
