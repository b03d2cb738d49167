import type { Clock } from '../../../../packages/holdfast/src/lib/clock.ts';
import { HoldfastError } from '../../../../packages/holdfast/src/lib/errors/errors.ts';
import type { SessionStore } from '../../../../packages/holdfast/src/lib/store/session-store.ts';

type Methods = {
  [Name in keyof SessionStore as SessionStore[Name] extends (...args: never[]) => Promise<unknown>
    ? Name
    : never]: SessionStore[Name];
};

export type Method = keyof Methods;
type Value<Name extends Method> = Awaited<ReturnType<Methods[Name]>>;

/** A call of a store's method, as it was made and answered. */
export type Call<Name extends Method = Method> = Name extends Method
  ? {
      readonly method: Name;
      readonly args: Parameters<Methods[Name]>;
      /** Of the instance on which it was made. */
      readonly instance: number;
      /** Its place, and that of its answer, among all beginnings and ends of calls. */
      readonly start: number;
      end: number;
      /** The time at both. */
      readonly startMs: number;
      endMs: number;
      answer: { readonly value: Value<Name> } | { readonly error: unknown } | undefined;
    }
  : never;

/** All that was asked of a round's stores, and answered. */
export class History {
  readonly calls: Call[] = [];
  readonly #clock: Pick<Clock, 'now'>;
  #events = 0;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** The store, each of whose calls is noted. */
  of(store: SessionStore, instance: number): SessionStore {
    return new Proxy(store, {
      get: (_, name) => {
        const member: unknown = Reflect.get(store, name, store);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          const result: unknown = member.apply(store, args);
          if (!(result instanceof Promise)) return result;
          return this.#note({ method: name as Method, args: args as never, instance }, result);
        };
      },
    });
  }

  /** Those of some methods. */
  all<Name extends Method>(...methods: readonly Name[]): readonly Call<Name>[] {
    const names: ReadonlySet<Method> = new Set(methods);
    return this.calls.filter(({ method }) => names.has(method)) as Call<Name>[];
  }

  async #note<Result>(
    what: Pick<Call, 'method' | 'args' | 'instance'>,
    result: Promise<Result>,
  ): Promise<Result> {
    this.#events += 1;
    const call = {
      ...{ ...what, start: this.#events, startMs: this.#clock.now() },
      ...{ end: Infinity, endMs: Infinity, answer: undefined },
    } as Call;
    this.calls.push(call);
    try {
      const value = await result;
      call.answer = { value: value as never };
      return value;
    } catch (error) {
      call.answer = { error };
      throw error;
    } finally {
      this.#events += 1;
      call.end = this.#events;
      call.endMs = this.#clock.now();
    }
  }
}

/** What it was answered with; undefined where it failed, too. */
export function resultOf<Name extends Method>(call: Call<Name>): Value<Name> | undefined {
  const { answer } = call as { answer: { value: Value<Name> } | { error: unknown } | undefined };
  return answer !== undefined && 'value' in answer ? answer.value : undefined;
}

/** Whether it did what it was to do. */
export function isAnswered({ answer }: Call): boolean {
  return answer !== undefined && 'value' in answer;
}

/** What it failed with: a code of Holdfast's, or the text of another error. */
export function failureOf({ answer }: Call): string | undefined {
  return answer !== undefined && 'error' in answer ? codeOf(answer.error) : undefined;
}

export function codeOf(error: unknown): string {
  return error instanceof HoldfastError ? error.code : String(error);
}

/** The session that it is about; empty where that is none, or several. */
export function sessionOf({ args: [first] }: Call): string {
  if (typeof first === 'string') return first;
  return typeof first === 'object' && 'sessionId' in first ? first.sessionId : '';
}

/** The name of the write that it makes, or of the lease that it asks for. */
export function nonceOf(call: Call): string | undefined {
  switch (call.method) {
    case 'create':
    case 'set':
    case 'update':
    case 'setCredentials':
    case 'appendMessages':
      return call.args[2]?.nonce;
    case 'incrementCounter':
      return call.args[3]?.nonce;
    case 'begin':
    case 'commit':
      return call.args[1].nonce;
    case 'emit':
      return call.args[2];
    default:
      return undefined;
  }
}

/** As a breach of a law names it. */
export function text(call: Call): string {
  const { method, instance, start, end, startMs, endMs } = call;
  const times = startMs === endMs ? `${startMs}` : `${startMs} to ${endMs}`;
  const words = [method, sessionOf(call), nonceOf(call) ?? '', failureOf(call) ?? ''];
  return `[${instance}] ${start}-${end} at ${times}: ${words.filter(Boolean).join(' ')}`;
}
