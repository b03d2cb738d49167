import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { ConfigError } from '../errors/errors.ts';

interface SecretFile {
  /** The setting that names it. */
  readonly setting: string;
  readonly path: string;
  /** What it should hold, for who reads that it does not. */
  readonly what: string;
  readonly minLength: number;
}

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

function read({ setting, path, what, minLength }: SecretFile): string {
  // Editors and `echo` end a file with a newline; a second one would be the secret's own.
  const secret = readNamed(setting, path).replace(/\r?\n$/, '');
  if (secret === '') throw new ConfigError(`${setting} names a file that holds no ${what}.`);
  if (secret.length >= minLength) return secret;
  throw new ConfigError(
    `${setting} names a file whose content must have ${minLength} characters or more.`,
  );
}

/** The content of a file that a setting names. @throws ConfigError, without its path */
export function readNamed(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new ConfigError(`${setting} names a file that could not be read (${code}).`);
  }
}
