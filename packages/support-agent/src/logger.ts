import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import { censor, shownError, topNames, withoutSecrets } from './redaction.ts';

export type { Logger };

/**
 * Logs to stdout: JSON lines, or readable ones in a terminal; or to `destination`. Nothing that is
 * logged has secrets or what customers say: whoever adds a line that does, or hands a request's headers
 * to the logger, finds them struck out.
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    redact: { paths: topNames.map((name) => `["${name}"]`), censor },
    formatters: { log: withoutSecrets },
    serializers: { err: shownError },
  };
  if (destination !== undefined) return pino(options, destination);
  if (!process.stdout.isTTY) return pino(options);
  return pino(
    options,
    pretty({ translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname', sync: true }),
  );
}
