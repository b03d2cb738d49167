import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type { Logger };

/** Logs to stdout: JSON lines, or readable ones in a terminal. */
export function createLogger(level: string): Logger {
  if (!process.stdout.isTTY) return pino({ level });
  return pino(
    { level },
    pretty({ translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname', sync: true }),
  );
}
