import { rereadKeys } from './encryption-config.ts';
import type { Config } from './load-config.ts';

/**
 * Reads again what the configuration has from files of secrets, after a SIGHUP say: the encryption keys, of
 * which the first one writes from then on, the operators' key and the token of `/metrics`, the key of the
 * model server, and passwords of Redis, for the next connections.
 *
 * @returns the settings whose files were read, and the ids of the encryption keys that there are now
 * @throws ConfigError when one of them is wrong: all stay as they were
 */
export function rereadSecrets(config: Config): {
  readonly settings: readonly string[];
  readonly keyIds: readonly string[];
} {
  const { redis, server, agent } = config;
  const secrets = [
    ...[redis.password, redis.sentinel?.password],
    ...[server.adminApiKey, server.metricsToken, agent.openai?.apiKey],
  ].flatMap((secret) => (secret?.setting === undefined ? [] : [secret]));
  const replace = secrets.map((secret) => secret.reread());
  const keyIds = rereadKeys(config);
  for (const take of replace) take();
  const settings = secrets.map(({ setting }) => setting ?? '');
  if (keyIds !== null) settings.unshift('SESSION_ENCRYPTION_KEY_FILE');
  return { settings, keyIds: keyIds ?? [] };
}
