import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type { Logger };

/**
 * Nothing that is logged has these. Whoever adds a line that does, or hands a request's headers to
 * the logger, finds their values struck out.
 */
const secret = [
  ...['authorization', 'cookie', '"set-cookie"', 'token', 'apiKey', 'password', 'secret'],
  ...['message', 'text', 'content', 'metadata', 'userId', 'ipAddress'],
];
const paths = secret.flatMap((name) => {
  const at = (prefix: string) =>
    name.startsWith('"') ? `${prefix}[${name}]` : `${prefix}.${name}`;
  const top = name.startsWith('"') ? `[${name}]` : name;
  return [
    top,
    at('headers'),
    at('req'),
    at('req.headers'),
    at('res'),
    at('res.headers'),
    at('body'),
  ];
});

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
