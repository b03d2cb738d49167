import type { Session } from '../../../../packages/holdfast/src/lib/model/session.ts';
import type { Lease } from '../../../../packages/holdfast/src/lib/store/turn-store.ts';
import { type Call, failureOf, type History, isAnswered, nonceOf, resultOf } from './history.ts';

/** What became of a write, as far as its callers were told. */
type Fate = 'made' | 'refused' | 'unknown';

/** All calls under one nonce. */
export interface Write {
  readonly id: string;
  readonly nonce: string;
  readonly calls: readonly Call[];
  readonly fate: Fate;
  /** Of a turn. */
  readonly lease: Lease | undefined;
  /** Contents of its messages, in order. */
  readonly said: readonly string[];
  /** Keys that it sets in the metadata. */
  readonly keys: readonly string[];
  readonly adds: ReadonlyMap<string, number>;
}

/** A session from its creation on. Its thread is its name, which no other one has. */
export interface Creation {
  readonly id: string;
  readonly name: string;
  readonly userId: string | null;
  readonly calls: readonly Call[];
  readonly fate: Fate;
  readonly start: number;
  /** When it was known to be there. */
  readonly end: number;
}

/** A session as somebody was shown it. */
interface Look {
  readonly call: Call;
  readonly session: Session;
  /** Not from a cache. */
  readonly isFresh: boolean;
  /** It shows what its call wrote. */
  readonly isWrite: boolean;
}

/** A call that is to end sessions. */
export interface Ending {
  readonly call: Call;
  ends(session: { readonly id: string; readonly userId: string | null }): boolean;
  /** How many it says that it has ended. */
  readonly count: number;
}

export interface Grant {
  readonly call: Call<'begin'>;
  readonly id: string;
  readonly lease: Lease;
  /** The session's. */
  readonly name: string;
}

/** What a history tells. */
export interface Facts {
  readonly history: History;
  readonly writes: readonly Write[];
  readonly creations: readonly Creation[];
  readonly endings: readonly Ending[];
  readonly looks: readonly Look[];
  readonly grants: readonly Grant[];
  /** Names of sessions, by their incarnations. */
  readonly names: ReadonlyMap<string, string>;
}

export function factsOf(history: History): Facts {
  const grants = grantsOf(history);
  return {
    ...{ history, grants },
    writes: writesOf(history),
    creations: creationsOf(history),
    endings: endingsOf(history),
    looks: looksOf(history),
    names: new Map(grants.map(({ lease, name }) => [lease.incarnation, name])),
  };
}

/**
 * A refusal that follows an unknown outcome says of that, too, that nothing was written; that the store
 * cannot be reached says so of one call only.
 */
function fateOf(calls: readonly Call[]): Fate {
  if (calls.some(isAnswered)) return 'made';
  const failures = [...calls].sort((one, other) => one.end - other.end).map(failureOf);
  if (!failures.includes('OUTCOME_UNKNOWN')) return 'refused';
  const last = failures.at(-1);
  return last === 'OUTCOME_UNKNOWN' || last === 'STORE_UNAVAILABLE' ? 'unknown' : 'refused';
}

function grantsOf(history: History): readonly Grant[] {
  return history.all('begin').flatMap((call) => {
    const begun = resultOf(call);
    if (begun?.kind !== 'granted') return [];
    return [{ call, id: call.args[0], lease: begun.lease, name: begun.session.threadId }];
  });
}

function writesOf(history: History): readonly Write[] {
  const methods = ['update', 'incrementCounter', 'appendMessages', 'commit'] as const;
  const byNonce = grouped(history.all(...methods), (call) => `${call.method} ${nonceOf(call)}`);
  return byNonce.map((calls) => {
    const [call] = calls;
    return { calls, fate: fateOf(calls), nonce: nonceOf(call) ?? '', ...contentOf(call) };
  });
}

function contentOf(
  call: Call<'update' | 'incrementCounter' | 'appendMessages' | 'commit'>,
): Pick<Write, 'id' | 'lease' | 'said' | 'keys' | 'adds'> {
  const nothing = { lease: undefined, said: [], keys: [], adds: new Map<string, number>() };
  switch (call.method) {
    case 'update': {
      const [id, { metadata }] = call.args;
      return { ...nothing, id, keys: Object.keys(metadata ?? {}) };
    }
    case 'incrementCounter': {
      const [id, name, by = 1] = call.args;
      return { ...nothing, id, adds: new Map([[name, by]]) };
    }
    case 'appendMessages': {
      const [id, messages] = call.args;
      return { ...nothing, id, said: messages.map(({ content }) => String(content)) };
    }
    case 'commit': {
      const [lease, { messages = [], patches = [], increments }] = call.args;
      return {
        ...{ id: lease.sessionId, lease, adds: increments ?? nothing.adds },
        said: messages.map(({ content }) => String(content)),
        keys: patches.flatMap(({ metadata }) => Object.keys(metadata ?? {})),
      };
    }
  }
}

function creationsOf(history: History): readonly Creation[] {
  const single = history.all('create', 'set').flatMap((call) => {
    const [id, { threadId = '', userId = null } = {}] = call.args;
    const isReplacement = call.method === 'set' && call.args[2]?.ifVersion !== undefined;
    return isReplacement ? [] : [{ id, threadId, userId, call: call as Call }];
  });
  const inBatches = history.all('setBatch').flatMap((call) => {
    const results = resultOf(call);
    return call.args[0].map(({ id, data: { threadId = '', userId = null } }, at) => {
      const result = results?.[at];
      const hasFailed = result !== undefined && 'error' in result;
      const own: Call = hasFailed ? { ...call, answer: { error: result.error } } : call;
      return { id, threadId, userId, call: own };
    });
  });
  return grouped([...single, ...inBatches], ({ threadId }) => threadId).map((all) => {
    const [{ id, threadId: name, userId }] = all;
    const calls = all.map(({ call }) => call);
    return {
      ...{ id, name, userId, calls, fate: fateOf(calls) },
      start: Math.min(...calls.map(({ start }) => start)),
      end: Math.min(...calls.filter(isAnswered).map(({ end }) => end)),
    };
  });
}

function endingsOf(history: History): readonly Ending[] {
  return history.all('delete', 'deleteBatch', 'deleteUser').map((call) => ({
    call,
    ends: ({ id, userId }) =>
      call.method === 'deleteUser' ? call.args[0] === userId : [call.args[0]].flat().includes(id),
    count: Number(resultOf(call) ?? 0),
  }));
}

/** Every session that anybody was shown. */
function looksOf(history: History): readonly Look[] {
  return history.calls.flatMap((call): readonly Look[] => {
    const look = (session: Session | null | undefined, isFresh = true, isWrite = false) =>
      session ? [{ call, session, isFresh, isWrite }] : [];
    switch (call.method) {
      case 'get':
        return look(resultOf(call), call.args[1]?.fresh === true);
      case 'getBatch':
        return [...(resultOf(call)?.values() ?? [])].flatMap((session) =>
          look(session, call.args[1]?.fresh === true),
        );
      case 'getWithCredentials':
      case 'begin':
        return look(resultOf(call)?.session);
      case 'create':
      case 'set':
      case 'update':
      case 'setCredentials':
        return look(resultOf(call), true, true);
      case 'commit':
        return look(resultOf(call)?.session, true, true);
      case 'setBatch':
        return (resultOf(call) ?? []).flatMap((result) =>
          'session' in result ? look(result.session, true, true) : [],
        );
      default:
        return [];
    }
  });
}

function grouped<Item>(
  items: readonly Item[],
  key: (item: Item) => string,
): readonly (readonly [Item, ...Item[]])[] {
  const groups = new Map<string, [Item, ...Item[]]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
