import { z } from 'zod';
import { redis } from './redis-settings.ts';
import { headerText, headerTextRule } from './secret.ts';
import {
  apiBase,
  days,
  file,
  flag,
  oneOf,
  optionalFlag,
  origins,
  someOf,
  trustedProxies,
  whole,
} from './setting-values.ts';

const sessions = {
  SESSION_STORE_TYPE: oneOf(['in_memory', 'redis'], 'in_memory').describe(
    'Where sessions live: in this process, or on the Redis at REDIS_URL, shared by all processes.',
  ),
  SESSION_MAX_SESSIONS: whole(1, 16_777_216, 10_000).describe(
    'For in_memory only: sessions held at most; then the least recently active one that is not in a turn goes. On Redis its maxmemory is the bound.',
  ),
  SESSION_TIMEOUT_MINUTES: whole(1, days(24), 30).describe(
    'Idle timeout: a session without a message for so long has expired.',
  ),
  SESSION_ABSOLUTE_TIMEOUT_MINUTES: whole(1, days(24), 1440).describe(
    'Absolute timeout: a session ends so long after it began, active or not.',
  ),
  SESSION_CLEANUP_INTERVAL_SECONDS: whole(1, 86_400, 300).describe(
    'How often expired sessions are removed in the background. They are never returned, and nothing of them stays longer than 5 seconds, also where this is more.',
  ),
  SESSION_MAX_MESSAGES: whole(1, 1_000_000, 1000).describe(
    'Messages kept in a session; the oldest go first.',
  ),
  SESSION_MAX_PER_USER: whole(0, 1_000_000, 0).describe(
    'Sessions that one user may have; 0 for no cap.',
  ),
  SESSION_MAX_PER_USER_POLICY: oneOf(['evict_oldest', 'reject'], 'evict_oldest').describe(
    'At the cap: end the oldest session of the user, or refuse the new one.',
  ),
};

const turns = {
  SESSION_TURN_MAX_SECONDS: whole(1, 86_400, 300).describe('A turn that runs longer is stopped.'),
  SESSION_IDEMPOTENCY_TTL_SECONDS: whole(1, 86_400 * 24, 86_400).describe(
    'How long the outcome of a turn is kept for a repeat under its idempotency key.',
  ),
  SESSION_LOCKING_ENABLED: flag(true).describe(
    'Turns take a lease and queue. Without, they fail when another one commits first.',
  ),
  SESSION_LOCK_TIMEOUT_SECONDS: whole(1, 3_600, 30).describe(
    'The lease: how long a session stays held when its holder dies. A running turn renews it.',
  ),
  SESSION_LOCK_WAIT_SECONDS: whole(0, 86_400, 60).describe(
    'How long a turn waits for the turns ahead of it.',
  ),
};

const encryption = {
  SESSION_ENCRYPTION_ENABLED: optionalFlag().describe(
    'Encrypt what is stored of sessions. On where there is a key; with a key and false, plain values are written and both kinds read.',
  ),
  SESSION_ENCRYPTION_KEY: z
    .string()
    .optional()
    .describe(
      'A Fernet key, 64 hexadecimal characters, or base64 of 32 random bytes or more; several, separated by commas: the first writes, all read.',
    ),
  SESSION_ENCRYPTION_KEY_FILE: file(
    'A file of such keys, one a line, in place of SESSION_ENCRYPTION_KEY. Read again on SIGHUP.',
  ),
  SESSION_ENCRYPTION_CIPHER: oneOf(['aes-256-gcm', 'fernet'], 'aes-256-gcm').describe(
    'What new values are encrypted with; both are read.',
  ),
  SESSION_ENCRYPTION_ALLOW_PLAINTEXT: flag(false).describe(
    'Read values that are not encrypted, while encryption is being turned on. Anybody who writes to Redis can forge those.',
  ),
};

const fingerprint = {
  SESSION_FINGERPRINTING_ENABLED: flag(true).describe(
    'Sessions are bound to the client that began them, and a client that differs is noticed.',
  ),
  SESSION_FINGERPRINT_STRICT: flag(false).describe(
    'A client that differs is refused. Otherwise it is logged, counted, and told to the turn.',
  ),
  SESSION_FINGERPRINT_BIND: someOf(['ip', 'user_agent']).describe(
    'What of the client is bound: its network, and the browser, system and kind of device that its User-Agent names.',
  ),
};

const server = {
  API_HOST: z.string().min(1).prefault('localhost').describe('The address to listen on.'),
  API_PORT: whole(0, 65_535, 8000).describe('The port to listen on; 0 for any free one.'),
  API_TLS_CERT_FILE: file(
    'To serve HTTPS itself, as behind a proxy that speaks TLS to it: the PEM file of its certificate and the chain above it.',
  ),
  API_TLS_KEY_FILE: file("That certificate's private key, a PEM file."),
  ADMIN_API_KEY: z
    .string()
    .min(16, 'must have 16 characters or more')
    .regex(headerText, headerTextRule)
    .optional()
    .describe("The operators' key. Unset, the server makes one for each run and prints it."),
  ADMIN_API_KEY_FILE: file(
    "A file that holds the operators' key, in place of ADMIN_API_KEY. Read again on SIGHUP.",
  ),
  METRICS_TOKEN: z
    .string()
    .min(16, 'must have 16 characters or more')
    .regex(headerText, headerTextRule)
    .optional()
    .describe(
      "A token that may read /metrics and nothing else, for Prometheus. The operators' key may, too.",
    ),
  METRICS_TOKEN_FILE: file(
    'A file that holds that token, in place of METRICS_TOKEN. Read again on SIGHUP.',
  ),
  CORS_ORIGINS: origins.describe(
    'Pages of other origins that may use the API, with the token as Authorization: Bearer; comma-separated.',
  ),
  RATE_LIMIT_ENABLED: flag(true).describe('Refuse clients that send too many requests.'),
  RATE_LIMIT_REQUESTS: whole(1, 1_000_000, 100).describe(
    'Requests to the API that one client may send in a period, and messages to one session; over all instances.',
  ),
  RATE_LIMIT_PERIOD: whole(1, 86_400, 60).describe('The period, in seconds.'),
  TRUSTED_PROXIES: trustedProxies.describe(
    'Proxies of your own, which are believed where a request came from: addresses or CIDR ranges, comma-separated; or how many stand in front of the server.',
  ),
};

export const defaultModelBase = 'https://api.openai.com/v1';
export const defaultModel = 'gpt-4.1-mini';

const agent = {
  AI_PROVIDER: oneOf(['local', 'openai'], 'local').describe(
    'The model: local answers from the knowledge base, without a network; openai is AGENT_MODEL at OPENAI_API_BASE.',
  ),
  OPENAI_API_KEY: z
    .string()
    .regex(headerText, headerTextRule)
    .optional()
    .describe(
      'The key that the model server asks for. A server other than that of OpenAI may need none.',
    ),
  OPENAI_API_KEY_FILE: file(
    'A file that holds that key, in place of OPENAI_API_KEY. Read again on SIGHUP.',
  ),
  OPENAI_API_BASE: apiBase(defaultModelBase).describe(
    'Where the model server is: any that has OpenAI’s chat completions below this address.',
  ),
  AGENT_MODEL: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'must be a name of 1 to 200 visible ASCII characters')
    .prefault(defaultModel)
    .describe('The model, by the name that the model server has for it.'),
  AGENT_MODEL_TIMEOUT_SECONDS: whole(1, 300, 60).describe(
    'How long the model server may say nothing: before the first piece of an answer, retries included, and between two pieces. At most SESSION_TURN_MAX_SECONDS.',
  ),
  KNOWLEDGE_DIR: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The folder of Markdown articles, read again when they change; the one that comes with the server unless set.',
    ),
};

const logging = {
  LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info').describe(
    'The least severe log lines to write.',
  ),
};

/**
 * Every setting: its name in the environment, its meaning, its bounds and its default. This schema
 * is the only place that knows them; `.env.example` and the documentation are made from it.
 */
export const settingsSchema = z.object({
  ...sessions,
  ...turns,
  ...fingerprint,
  ...redis,
  ...encryption,
  ...server,
  ...agent,
  ...logging,
});

export type Settings = z.output<typeof settingsSchema>;

/** The settings by what they are about, in the order in which they are documented. */
export const settingGroups: ReadonlyArray<{ title: string; names: readonly string[] }> = [
  { title: 'Sessions', names: Object.keys(sessions) },
  { title: 'Turns', names: Object.keys(turns) },
  { title: 'Fingerprint', names: Object.keys(fingerprint) },
  { title: 'Redis', names: Object.keys(redis) },
  { title: 'Encryption', names: Object.keys(encryption) },
  { title: 'Server', names: Object.keys(server) },
  { title: 'Agent', names: Object.keys(agent) },
  { title: 'Logging', names: Object.keys(logging) },
];
