import { readFileSync } from 'node:fs';
import type { Settings } from './settings.ts';

type Setting = keyof Settings & string;

/** Settings of secrets that may come from a file instead. */
export type Secret = 'REDIS_PASSWORD' | 'ADMIN_API_KEY' | 'METRICS_TOKEN';

/** Settings that name PEM files. */
export type PemSetting = Extract<Setting, `${string}_TLS_${string}_FILE`>;

/**
 * A secret from the environment, or the content of the file that is named in its place.
 *
 * @param what the file should hold, for who reads that it does not
 * @param wrong gets a sentence for what cannot be used, without its path or content
 */
export function readSecret(
  name: Secret,
  what: string,
  settings: Settings,
  wrong: string[],
): string | undefined {
  const [given, path] = [settings[name], settings[`${name}_FILE`]];
  if (path === undefined) return given;
  if (given !== undefined) {
    wrong.push(`${name} and ${name}_FILE are both set: leave one out`);
    return undefined;
  }
  // Editors and `echo` end a file with a newline; a second one would be the secret's own.
  const secret = readNamed(`${name}_FILE`, path, wrong)?.replace(/\r?\n$/, '');
  if (secret === '') wrong.push(`${name}_FILE names a file that holds no ${what}`);
  return secret;
}

/** The content of a PEM file, where the setting names one. */
export function readPem(name: PemSetting, settings: Settings, wrong: string[]): string | undefined {
  const path = settings[name];
  if (path === undefined) return undefined;
  const text = readNamed(name, path, wrong);
  if (text === undefined || text.includes('-----BEGIN ')) return text;
  wrong.push(`${name} names a file that is not PEM: it has no line -----BEGIN …`);
  return undefined;
}

function readNamed(name: string, path: string, wrong: string[]): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    wrong.push(`${name} names a file that could not be read (${code})`);
    return undefined;
  }
}
