import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type { Logger };

/**
 * Nothing that is logged has these. Whoever adds a line that does, or hands a request's headers to
 * the logger, finds their values struck out.
 */
const secret = [
  ...['authorization', 'cookie', 'set-cookie', 'token', 'password', 'secret'],
  ...['apiKey', 'api_key', 'adminApiKey', 'admin_api_key', 'operatorKey', 'encryptionKey'],
  ...['encryption_key', 'userId', 'user_id', 'ipAddress', 'ip_address', 'userAgent', 'user_agent'],
  'user-agent',
];
/** Everyday words: elsewhere an error's own message is one of them. */
const texts = ['message', 'text', 'content', 'metadata'];
const places = ['', 'req', 'res', 'body', 'req.body'];

const paths = [
  // At the top, and one and two levels below it.
  ...secret.flatMap((name) => ['', '*', '*.*'].map((place) => `${place}["${name}"]`)),
  ...texts.flatMap((name) => places.map((place) => `${place}["${name}"]`)),
];

/** Logs to stdout: JSON lines, or readable ones in a terminal; or to `destination`. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = { level, redact: { paths, censor: '[redacted]' } };
  if (destination !== undefined) return pino(options, destination);
  if (!process.stdout.isTTY) return pino(options);
  return pino(
    options,
    pretty({ translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname', sync: true }),
  );
}
