import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Runs what outlives its caller (connections, their keeping, timers) outside of the caller's
 * asynchronous context, a turn say: it must neither hold that context nor act in it.
 */
export const outside = AsyncLocalStorage.snapshot();
