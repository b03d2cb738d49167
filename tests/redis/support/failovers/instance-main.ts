/**
 * An instance in a process of its own, which can be killed and paused. It is told what to do, and
 * tells what became of it, by messages (`instance-process.ts`).
 */
import { SessionManager } from '../../../../packages/holdfast/src/lib/manager/session-manager.ts';
import { RedisSessionStore } from '../../../../packages/holdfast/src/lib/redis/redis-session-store.ts';
import type { InstanceSettings, Order, Report } from './instance-process.ts';

const report = (message: Report) => process.send?.(message);

async function main({ store: storeOptions, ...options }: InstanceSettings): Promise<void> {
  const store = await RedisSessionStore.connect(storeOptions);
  const sessions = new SessionManager({ ...options, store });
  const goes = new Map<string, () => void>();

  /** A turn whose work reports itself, and goes on when it is told to. */
  const turn = async ({ name, id, options: turnOptions, texts }: Order & { kind: 'turn' }) => {
    try {
      await sessions.turn(id, turnOptions, async (running) => {
        running.signal.addEventListener('abort', () => {
          report({ kind: 'aborted', name, code: codeOf(running.signal.reason) });
        });
        for (const text of texts) running.emit({ type: 'text', text });
        const told = new Promise<void>((resolve) => goes.set(name, resolve));
        report({ kind: 'working', name, attempt: running.attempt });
        await told;
        running.append({ role: 'assistant', content: name });
        running.increment('messageCount');
      });
      report({ kind: 'done', name });
    } catch (error) {
      report({ kind: 'failed', name, code: codeOf(error) });
    }
  };

  process.on('message', (order: Order) => {
    if (order.kind === 'turn') void turn(order);
    else goes.get(order.name)?.();
  });
  report({ kind: 'ready' });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

process.on('disconnect', () => process.exit());
process.once('message', (settings: InstanceSettings) => {
  main(settings).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
