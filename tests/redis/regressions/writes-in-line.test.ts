import { expect, it, onTestFinished } from 'vitest';
import {
  OutcomeUnknownError,
  StoreUnavailableError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { startRedis } from '../../servers/redis-server.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

it('writes that wait in line for a server that stands still fail in time', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const { store } = await new SharedNamespace(server.url).instance({ timeoutMs: 1_000 });
  await store.create('s');
  await store.update('s', { metadata: { x: 0 } });
  await server.pause();
  const since = performance.now();
  const failed = (write: Promise<unknown>) =>
    write.then(
      () => {
        throw new Error('It was written, though nobody answers.');
      },
      (error: unknown) => ({ error, ms: performance.now() - since }),
    );
  // One after another, or six at a time, they would take eight seconds and seven.
  const failures = await Promise.all([
    ...Array.from({ length: 8 }, (_, x) => failed(store.update('s', { metadata: { x } }))),
    ...Array.from({ length: 40 }, () => failed(store.incrementCounter('s', 'clicks'))),
  ]);
  server.resume();
  for (const { error, ms } of failures) {
    // Those that had been sent may have been made.
    const isTold = error instanceof StoreUnavailableError || error instanceof OutcomeUnknownError;
    expect(isTold, String(error)).toBe(true);
    // The timeout is 1 s, and a failure may take one more; the rest is for a slow machine.
    expect(ms).toBeLessThan(4_000);
  }
});
