import { ConfigError } from '../errors/errors.ts';
import { sentenceOf } from '../errors/sentence-of.ts';
import { readNamed, Secret } from './secret.ts';
import type { Settings } from './settings.ts';

type Setting = keyof Settings & string;

/** Settings of secrets that may come from a file instead. */
type SecretSetting =
  | 'REDIS_PASSWORD'
  | 'REDIS_SENTINEL_PASSWORD'
  | 'ADMIN_API_KEY'
  | 'METRICS_TOKEN'
  | 'OPENAI_API_KEY';

/** Settings that name PEM files. */
type PemSetting = Extract<Setting, `${string}_TLS_${string}_FILE`>;

/**
 * A secret from the environment, or the content of the file that is named in its place.
 *
 * @param what the file should hold, for who reads that it does not
 * @param wrong gets a sentence for what cannot be used, without its path or content
 */
export function readSecret(
  name: SecretSetting,
  {
    what,
    minLength = 1,
    isForHeaders = false,
  }: { readonly what: string; readonly minLength?: number; readonly isForHeaders?: boolean },
  settings: Settings,
  wrong: string[],
): Secret | undefined {
  const [given, path] = [settings[name], settings[`${name}_FILE`]];
  if (path === undefined) return given === undefined ? undefined : Secret.of(given);
  if (given !== undefined) {
    wrong.push(`${name} and ${name}_FILE are both set: leave one out`);
    return undefined;
  }
  const file = { setting: `${name}_FILE`, path, what, minLength, isForHeaders };
  return noting(wrong, () => Secret.inFile(file));
}

/** The content of a PEM file, where the setting names one. */
export function readPem(name: PemSetting, settings: Settings, wrong: string[]): string | undefined {
  const path = settings[name];
  if (path === undefined) return undefined;
  const text = noting(wrong, () => readNamed(name, path));
  if (text === undefined || text.includes('-----BEGIN ')) return text;
  wrong.push(`${name} names a file that is not PEM: it has no line -----BEGIN …`);
  return undefined;
}

/** What is refused is noted as a sentence among others. */
export function noting<Value>(wrong: string[], read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    wrong.push(sentenceOf(error).replace(/\.$/, ''));
    return undefined;
  }
}
