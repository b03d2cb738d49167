import { devNull } from 'node:os';
import { loadConfig } from 'holdfast';
import { onTestFinished } from 'vitest';
import { createLogger } from '../../../packages/support-agent/src/logger.ts';
import { serve } from '../../../packages/support-agent/src/server/serve.ts';
import { PacedModel } from '../../../packages/support-agent/src/testing/paced-model.ts';

export interface PacedServer {
  readonly address: string;
  /** Its answers come piece by piece, as the test says them. */
  readonly model: PacedModel;
}

/** The whole server, with a model whose answers a test makes; it ends with the test. */
export async function pacedServer(env: Record<string, string> = {}): Promise<PacedServer> {
  const model = new PacedModel();
  const server = await serve({
    config: loadConfig({
      env: { API_PORT: '0', RATE_LIMIT_ENABLED: 'false', ...env },
      envFile: devNull,
    }),
    logger: createLogger('silent'),
    model,
    graceMs: 0,
  });
  onTestFinished(() => server.close());
  return { address: `http://localhost:${server.port}`, model };
}
