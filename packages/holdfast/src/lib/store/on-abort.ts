/** Whom each signal is to tell; a signal is listened to while somebody wants to know. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back when `signal` aborts, at once if it has; not any more after the returned function was
 * called. A signal may be shared by any number of turns, as that of a process which is to stop is:
 * it gets one listener for all of them, since Node takes eleven for a leak and warns.
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    callback();
    return () => {};
  }
  let callbacks = waiting.get(signal);
  if (callbacks === undefined) {
    callbacks = new Set();
    waiting.set(signal, callbacks);
    signal.addEventListener('abort', tellAll);
  }
  // Not the caller's function itself, which may be given twice.
  const tell = () => callback();
  callbacks.add(tell);
  return () => {
    callbacks.delete(tell);
    if (callbacks.size > 0 || waiting.get(signal) !== callbacks) return;
    waiting.delete(signal);
    signal.removeEventListener('abort', tellAll);
  };
}

function tellAll(event: Event): void {
  const signal = event.target as AbortSignal;
  const callbacks = waiting.get(signal) ?? [];
  waiting.delete(signal);
  signal.removeEventListener('abort', tellAll);
  for (const tell of callbacks) tell();
}
