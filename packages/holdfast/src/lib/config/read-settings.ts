import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError } from '../errors/errors.ts';
import { noticesOf } from './earlier-names.ts';
import { misspeltNames } from './misspelt-names.ts';
import { dropServiceLinks } from './service-links.ts';
import type { ConfigWarning } from './warnings.ts';
import { whyUnreadable } from './why-unreadable.ts';

export interface SettingSources {
  /** Default: `process.env`, which is only read. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** A file of settings; what `env` has comes first. Default: `.env` in the working folder, if it exists. */
  readonly envFile?: string | undefined;
}

/** What is set, as text. */
export interface GivenSettings {
  readonly settings: Readonly<Record<string, string>>;
  /** Of names that are no settings', or not any more. */
  readonly warnings: readonly ConfigWarning[];
}

/** @throws ConfigError when the file cannot be read, or is in UTF-16 */
export function readSettings({ env = process.env, envFile }: SettingSources): GivenSettings {
  const given: Record<string, string> = { ...readEnvFile(envFile) };
  for (const [name, value] of Object.entries(env)) if (value !== undefined) given[name] = value;
  // An empty value is how shells and .env files write "not set".
  for (const [name, value] of Object.entries(given)) if (value === '') delete given[name];
  const warnings: ConfigWarning[] = [];
  dropServiceLinks(given, warnings);
  warnings.push(...noticesOf(given), ...misspeltNames(given));
  return { settings: given, warnings };
}

function readEnvFile(envFile: string | undefined): Record<string, string> {
  const file = envFile ?? '.env';
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (missing && envFile === undefined) return {};
    const why = whyUnreadable(error);
    throw new ConfigError(`The settings file ${file} could not be read (${why}).`, {
      cause: error,
    });
  }
  // None of its lines would be a setting's, and the defaults would stand in their place.
  if (bytes.includes(0) || utf16Marks.some((mark) => bytes.subarray(0, 2).equals(mark)))
    throw new ConfigError(`The settings file ${file} is in UTF-16, or no text: save it as UTF-8.`);
  // Some editors begin a file with a byte order mark, which would be part of the first name.
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  return parseEnv(text) as Record<string, string>;
}

const utf16Marks = [Buffer.of(0xff, 0xfe), Buffer.of(0xfe, 0xff)];
