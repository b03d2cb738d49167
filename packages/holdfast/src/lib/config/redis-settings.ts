import { z } from 'zod';
import { ConfigError } from '../errors/errors.ts';
import { RedisAddress } from '../redis/connection/redis-address.ts';
import { keyPrefixPattern } from '../redis/redis-options.ts';
import { days, file, flag, natMap, oneOf, servers, whole, wholeNumber } from './setting-values.ts';

export const defaultRedisUrl = 'redis://localhost:6379/0';

export const redis = {
  REDIS_URL: z
    .string()
    .prefault(defaultRedisUrl)
    .refine(
      isRedisUrl,
      'must be redis://[user[:password]@]host[:port][/database], or rediss:// for TLS; of / ? # @ : and % in the password each is written as its percent-encoding',
    )
    .describe(
      'The server: redis://[user[:password]@]host[:port][/database], or rediss:// for TLS.',
    ),
  REDIS_SENTINEL_NODES: servers.describe(
    'Sentinels that know where the primary is: host:port, comma-separated. Of REDIS_URL then only user, password, database and rediss:// count.',
  ),
  REDIS_SENTINEL_MASTER: z
    .string()
    .min(1)
    .optional()
    .describe('The name of the primary at the sentinels: of their line "sentinel monitor".'),
  REDIS_SENTINEL_PASSWORD: z
    .string()
    .min(1)
    .optional()
    .describe("The sentinels' own password, if they ask for one."),
  REDIS_SENTINEL_PASSWORD_FILE: file(
    'A file that holds it, in place of REDIS_SENTINEL_PASSWORD. Read again on SIGHUP.',
  ),
  REDIS_CLUSTER_NODES: servers.describe(
    'Some nodes of a Redis Cluster (7.0 or newer): host:port, comma-separated. Of REDIS_URL then only user, password and rediss:// count, for all nodes.',
  ),
  REDIS_NAT_MAP: natMap.describe(
    'Where servers are reached that name each other by addresses of their own network: host:port=host:port, comma-separated.',
  ),
  SESSION_DURABILITY: oneOf(['async', 'replicated'], 'async').describe(
    'When a write counts as done: once the primary has it, or once a replica has it too. A write that no replica confirms in time fails with OUTCOME_UNKNOWN.',
  ),
  REDIS_PASSWORD: z.string().min(1).optional().describe('The password, where REDIS_URL has none.'),
  REDIS_PASSWORD_FILE: file(
    'A file that holds the password, in place of REDIS_PASSWORD. Read again on SIGHUP, for the next connections.',
  ),
  REDIS_TLS_CA_FILE: file(
    "For rediss://: a PEM file of certificate authorities, in place of the system's.",
  ),
  REDIS_TLS_CERT_FILE: file(
    'For rediss:// where the server asks for a client certificate: its PEM file.',
  ),
  REDIS_TLS_KEY_FILE: file("The client certificate's private key, a PEM file."),
  REDIS_SESSION_KEY_PREFIX: z
    .string()
    .regex(keyPrefixPattern, 'must be at most 128 characters of A-Z a-z 0-9 . _ : @ / -')
    .prefault('agent:session:')
    .describe('The beginning of every key. Processes with the same one share their sessions.'),
  REDIS_SESSION_TTL_SECONDS: wholeNumber(1, days(24) * 60)
    .optional()
    .describe('The idle timeout on Redis, in place of SESSION_TIMEOUT_MINUTES.'),
  REDIS_MAX_CONNECTIONS: whole(
    2,
    10_000,
    50,
    ': one connection carries the commands of all sessions, one the subscriptions',
  ).describe(
    'Connections that one process may open to a primary; it opens 2, and a third one where it waits for replicas.',
  ),
  REDIS_SOCKET_TIMEOUT: whole(1, 600, 5).describe(
    'Seconds that an operation may take, all its attempts together. Waiting for other turns is not counted.',
  ),
  REDIS_SOCKET_CONNECT_TIMEOUT: whole(1, 600, 5).describe(
    'Seconds that connecting may take at the start.',
  ),
  SESSION_L1_CACHE_ENABLED: flag(true).describe(
    'Keep sessions in this process, so that reading one needs no round trip, and a turn is not sent what the process has. Turns and authentication are checked by Redis all the same. When it is off, nothing of a session stays beyond a turn.',
  ),
  SESSION_L1_CACHE_SIZE: whole(1, 10_000_000, 1_000).describe('The most sessions that are kept.'),
  SESSION_L1_CACHE_TTL_SECONDS: whole(1, 86_400 * 24, 60).describe(
    'How long a session is kept that nobody changes.',
  ),
  SESSION_L1_MAX_STALENESS_MS: whole(10, 60_000, 250).describe(
    'How far behind Redis a session that is kept may be, at most and with a round trip added, in milliseconds.',
  ),
  SESSION_LOCK_RETRY_ATTEMPTS: whole(0, 10, 3).describe(
    'How often an operation is repeated whose reply from Redis was lost; it takes effect once.',
  ),
};

/** Whether it has all that an address needs; a user's password may still come from elsewhere. */
function isRedisUrl(url: string): boolean {
  try {
    new RedisAddress({ url, password: 'elsewhere' });
    return true;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}
