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

/** @throws ConfigError when the file cannot be read */
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
  try {
    // Some editors begin a file with a byte order mark, which would be part of the first name.
    const text = readFileSync(envFile ?? '.env', 'utf8').replace(/^\uFEFF/, '');
    return parseEnv(text) as Record<string, string>;
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (missing && envFile === undefined) return {};
    const why = whyUnreadable(error);
    throw new ConfigError(`The settings file ${envFile ?? '.env'} could not be read (${why}).`, {
      cause: error,
    });
  }
}
