import { RedisTimeoutError } from '../redis-connection.ts';

/**
 * Runs something that must not take longer than `ms`; its signal aborts then, or when `closing` does.
 * (Of `AbortSignal.any` the parts are held weakly: a timeout in it may be collected, and never come.)
 */
export async function attempt<Value>(
  ms: number,
  closing: AbortSignal,
  run: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const controller = new AbortController();
  const giveUp = () => controller.abort(closing.reason);
  const late = () => controller.abort(new RedisTimeoutError('The server did not answer in time.'));
  const timer = setTimeout(late, ms);
  closing.addEventListener('abort', giveUp, { once: true });
  if (closing.aborted) giveUp();
  try {
    controller.signal.throwIfAborted();
    return await run(controller.signal);
  } finally {
    clearTimeout(timer);
    closing.removeEventListener('abort', giveUp);
  }
}
