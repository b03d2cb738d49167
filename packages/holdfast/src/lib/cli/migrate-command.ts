import type { Config } from '../config/load-config.ts';
import { readSettings } from '../config/read-settings.ts';
import { tlsOptions } from '../config/redis-config.ts';
import { readNamed } from '../config/secret.ts';
import { ConfigError } from '../errors/errors.ts';
import { sentenceOf } from '../errors/sentence-of.ts';
import { type MigrationOptions, migrate } from '../migration/python-v2/migration.ts';
import { OriginalKeys } from '../migration/python-v2/original-keys.ts';
import type { Originals } from '../migration/python-v2/originals.ts';
import type { RedisAddress } from '../redis/connection/redis-address.ts';
import { asJson, asText, failures } from './migrate-report.ts';
import { showProgress } from './progress.ts';
import { loadRedisConfig, openingLogger, openStore } from './redis-store.ts';
import { type CommonOptions, exitCodes, said, type Terminal } from './terminal.ts';

export interface MigrateOptions extends CommonOptions {
  readonly fromUrl?: string;
  readonly fromPrefix: string;
  readonly oldKeyFile?: string;
  readonly apply?: boolean;
  readonly delete?: boolean;
}

type Settings = Readonly<Record<string, string>>;

/** `holdfast migrate python-v2`. @throws ConfigError, StoreUnavailableError */
export async function migratePythonV2(
  options: MigrateOptions,
  terminal: Terminal,
): Promise<number> {
  const { env, err, signal } = terminal;
  const { settings } = readSettings({ env, envFile: options.settings });
  const config = loadRedisConfig(options, terminal, 'sessions are imported into Redis only');
  const address = await addressOf(options, settings, config);
  const keys = await OriginalKeys.of(keyTexts(options, settings));
  let message = 'Stopped.';
  try {
    const originals = await openOriginals(address, options, config, terminal);
    try {
      // Whoever had more sessions than the cap keeps them; in this process nothing is read twice.
      const store = await openStore(
        {
          ...config,
          session: { ...config.session, maxPerUser: 0 },
          redis: { ...config.redis, l1: undefined },
        },
        terminal,
      );
      message = 'Stopped. Run it again to go on from there.';
      try {
        const where = `Looked at ${address.display} for keys that begin with ${options.fromPrefix} (--from-url and --from-prefix name others).`;
        return await migrated(
          { originals, keys, target: store.upkeep.importing(), where },
          options,
          terminal,
        );
      } finally {
        await store.close();
      }
    } finally {
      await originals.close();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    err.write(`${message}\n`);
    return exitCodes.interrupted;
  }
}

async function openOriginals(
  address: RedisAddress,
  { fromPrefix: prefix }: MigrateOptions,
  { redis }: Config,
  terminal: Terminal,
): Promise<Originals> {
  const { Originals } = await import('../migration/python-v2/originals.ts');
  const { timeoutMs, connectTimeoutMs, retries, keyPrefix: ownPrefix } = redis;
  const { logger, opened } = openingLogger(terminal);
  const originals = await Originals.connect({
    ...{ address, prefix, ownPrefix, timeoutMs, connectTimeoutMs, retries, logger },
    signal: terminal.signal,
  });
  opened();
  return originals;
}

async function migrated(
  { where, ...parts }: Pick<MigrationOptions, 'originals' | 'keys' | 'target'> & { where: string },
  { apply = false, delete: remove = false, json = false }: MigrateOptions,
  terminal: Terminal,
): Promise<number> {
  const { out, err, signal } = terminal;
  const shown = json ? null : showProgress(apply ? 'Importing' : 'Looking', terminal);
  const result = await migrate({
    ...{ ...parts, apply, remove, signal },
    onProgress: ({ done, total }) => shown?.update(done, total),
  }).finally(() => shown?.end());
  out.write(json ? asJson(result, { apply, remove }) : asText(result, { apply, remove }));
  if (!json) err.write(failures(result));
  if (!json && result.found === 0) err.write(said(where));
  return result.failed.length === 0 ? exitCodes.done : exitCodes.failed;
}

/**
 * Where Python's sessions are: on one server, by `--from-url`, `PYTHON_V2_REDIS_URL`, or where Holdfast's
 * are. Arguments can be seen by all who list processes, so a password must not be among them.
 */
async function addressOf(
  { fromUrl }: MigrateOptions,
  settings: Settings,
  { redis }: Config,
): Promise<RedisAddress> {
  const { RedisAddress } = await import('../redis/connection/redis-address.ts');
  const given = fromUrl ?? settings.PYTHON_V2_REDIS_URL;
  const tls = (url: string) =>
    redis.tls !== undefined && url.startsWith('rediss:') ? { tls: tlsOptions(redis.tls) } : {};
  if (given === undefined) {
    if (redis.cluster !== undefined || redis.sentinel !== undefined) {
      throw new ConfigError(
        'Python’s sessions are on one server: say which by --from-url, or PYTHON_V2_REDIS_URL where its URL has a password.',
      );
    }
    const { url, username, password } = redis;
    return new RedisAddress({
      url,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password: password.value }),
      ...tls(url),
    });
  }
  const name = fromUrl === undefined ? 'PYTHON_V2_REDIS_URL' : '--from-url';
  if (fromUrl !== undefined && /^\w+:\/\/[^/]*:[^/]*@/.test(fromUrl)) {
    throw new ConfigError(
      '--from-url has a password in it, which all who list processes can see: set PYTHON_V2_REDIS_URL in its place.',
    );
  }
  try {
    return new RedisAddress({ url: given, ...tls(given) });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(sentenceOf(error).replaceAll('REDIS_URL', name));
  }
}

/** The key that Python had: given for this, or else any of Holdfast's own. */
function keyTexts({ oldKeyFile }: MigrateOptions, settings: Settings): readonly string[] {
  const given = settings.PYTHON_V2_ENCRYPTION_KEY;
  if (given !== undefined && oldKeyFile !== undefined) {
    throw new ConfigError(
      'PYTHON_V2_ENCRYPTION_KEY and --old-key-file are both given: leave one out.',
    );
  }
  if (given !== undefined) return [given];
  if (oldKeyFile !== undefined) return [readKey(oldKeyFile, '--old-key-file')];
  const { SESSION_ENCRYPTION_KEY: own, SESSION_ENCRYPTION_KEY_FILE: file } = settings;
  const text = file === undefined ? own : readKey(file, 'SESSION_ENCRYPTION_KEY_FILE');
  if (text === undefined) return [];
  return text.split(/[,\n]/).flatMap((key) => key.trim() || []);
}

function readKey(path: string, name: string): string {
  // Editors and `echo` end a file with a newline.
  const text = readNamed(name, path).replace(/\r?\n$/, '');
  if (text !== '') return text;
  throw new ConfigError(`${name} names a file that holds no key.`);
}
