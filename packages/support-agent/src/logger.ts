import { type Bindings, type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import { redact, serializers, withoutSecrets } from './redaction.ts';

export type { Logger };

/**
 * Logs to stdout: JSON lines, or readable ones in a terminal; or to `destination`. Nothing that is
 * logged has secrets or what customers say: whoever adds a line that does, or hands a request's headers
 * to the logger, finds them struck out. What a serializer of one's own makes is shown as it is.
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = { level, redact, serializers, formatters: { log: withoutSecrets } };
  if (destination !== undefined) return watched(pino(options, destination));
  if (!process.stdout.isTTY) return watched(pino(options));
  return watched(
    pino(options, pretty({ translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname', sync: true })),
  );
}

/** Children have it from their parent; pino asks `formatters.log` of lines, and not of what is in each of them. */
function watched(logger: Logger): Logger {
  const { child, setBindings } = logger;
  logger.child = function (this: Logger, bindings: Bindings, options) {
    return child.call(this, withoutSecrets(bindings), options);
  } as Logger['child'];
  logger.setBindings = function (this: Logger, bindings: Bindings) {
    setBindings.call(this, withoutSecrets(bindings));
  };
  return logger;
}
