import { HoldfastError, loadConfig, rereadSecrets } from 'holdfast';
import { createLogger } from './logger.ts';
import { serve } from './server/serve.ts';
import { StartError } from './server/start-error.ts';

try {
  const config = loadConfig();
  const logger = createLogger(config.logLevel);
  // Before it listens: a signal that nobody handles ends the process.
  process.on('SIGHUP', () => {
    try {
      const { settings, keyIds } = rereadSecrets(config);
      const message = settings.length === 0 ? 'no file to read again' : 'keys read again';
      logger.info({ settings, keyIds }, message);
    } catch (err) {
      logger.error({ err }, 'the keys stay as they were');
    }
  });
  const server = await serve({ config, logger });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    // Once: a second signal ends the process at once, as it would any other.
    process.once(signal, () => {
      logger.info({ signal }, 'shutting down');
      server.close().then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error({ err: error }, 'shutdown failed');
          process.exit(1);
        },
      );
    });
  }
  // Whoever reads that it is ready may send a signal at once.
  console.log(server.greeting);
} catch (error) {
  if (!(error instanceof HoldfastError || error instanceof StartError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
