import { randomUUID } from 'node:crypto';
import { OutcomeUnknownError, StoreUnavailableError } from '../errors/errors.ts';
import type { SessionStore } from '../store/session-store.ts';

/** The asynchronous operations of a store, which can be made to fail. */
export type StoreOperation = {
  [Name in keyof SessionStore]: SessionStore[Name] extends (...args: never[]) => Promise<unknown>
    ? Name
    : never;
}[keyof SessionStore];

export interface Fault {
  /** How often; default 1. */
  readonly times?: number | undefined;
  /**
   * `before` the operation, which then has no effect (the default), or `after` it: it took effect,
   * and its reply is lost.
   */
  readonly when?: 'before' | 'after' | undefined;
  /** What is thrown. Default: StoreUnavailableError before, OutcomeUnknownError after. */
  readonly error?: Error | undefined;
}

/** Failures on demand, for the tests of code that must live with a failing store. */
export class Faults {
  readonly #planned = new Map<StoreOperation, { fault: Fault; left: number }[]>();

  /** Makes the next calls of the operation fail. Plans for one operation are used up in order. */
  fail(operation: StoreOperation, fault: Fault = {}): void {
    const plans = this.#planned.get(operation) ?? [];
    const { times = 1 } = fault;
    if (times > 0) this.#planned.set(operation, [...plans, { fault, left: times }]);
  }

  /** Takes the plan for a call of the operation, if there is one. */
  take(operation: StoreOperation): Fault | undefined {
    const plans = this.#planned.get(operation);
    const plan = plans?.[0];
    if (plan === undefined) return undefined;
    plan.left -= 1;
    if (plan.left <= 0) plans?.shift();
    return plan.fault;
  }
}

/** The store with planned failures. Everything else is the store's own. */
export function withFaults<Store extends object>(store: Store, faults: Faults): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        const fault = faults.take(name as StoreOperation);
        if (fault === undefined) return Reflect.apply(member, target, args);
        return failing(target, member as Method, name as StoreOperation, args, fault);
      };
    },
  });
}

type Method = (...args: never[]) => unknown;

async function failing(
  store: object,
  call: Method,
  operation: StoreOperation,
  args: readonly unknown[],
  { when = 'before', error }: Fault,
): Promise<never> {
  if (when === 'before') {
    throw error ?? new StoreUnavailableError(`The test made ${operation} fail.`);
  }
  const { named, nonce } = withNonce(operation, args);
  await Reflect.apply(call, store, named);
  throw error ?? new OutcomeUnknownError(`The test lost the reply of ${operation}.`, { nonce });
}

/** Where an operation takes its nonce: in this argument's object. */
const nonceArguments: Partial<Record<StoreOperation, number>> = {
  begin: 1,
  commit: 1,
  create: 2,
  set: 2,
  update: 2,
  appendMessages: 2,
  setCredentials: 2,
  incrementCounter: 3,
};

/** The arguments with a nonce in them, as a driver would add one, so that the call can be repeated. */
function withNonce(
  operation: StoreOperation,
  args: readonly unknown[],
): { named: unknown[]; nonce: string } {
  const index = nonceArguments[operation];
  // The others have one of their own (emit), or take effect once by nature (delete, release).
  if (index === undefined) return { named: [...args], nonce: randomUUID() };
  const options = { nonce: randomUUID(), ...(args[index] as { nonce?: string } | undefined) };
  const named = Array.from({ length: Math.max(args.length, index + 1) }, (_, at) => args[at]);
  named[index] = options;
  return { named, nonce: options.nonce };
}
