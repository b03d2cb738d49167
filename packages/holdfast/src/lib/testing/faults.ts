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
    this.#planned.set(operation, [...plans, { fault, left: fault.times ?? 1 }]);
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
        return failing(() => Reflect.apply(member, target, args), String(name), args, fault);
      };
    },
  });
}

async function failing(
  call: () => unknown,
  operation: string,
  args: readonly unknown[],
  { when = 'before', error }: Fault,
): Promise<never> {
  if (when === 'before') {
    throw error ?? new StoreUnavailableError(`The test made ${operation} fail.`);
  }
  await call();
  throw (
    error ??
    new OutcomeUnknownError(`The test lost the reply of ${operation}.`, { nonce: nonceOf(args) })
  );
}

function nonceOf(args: readonly unknown[]): string {
  for (const arg of args) {
    if (
      typeof arg === 'object' &&
      arg !== null &&
      'nonce' in arg &&
      typeof arg.nonce === 'string'
    ) {
      return arg.nonce;
    }
  }
  return '';
}
