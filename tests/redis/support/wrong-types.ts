import type { Ask } from './asking.ts';

export type RedisType = 'string' | 'list' | 'hash' | 'zset' | 'set';

/** What the session's keys hold, in the order of the scripts' KEYS. */
export const sessionKeyTypes: readonly RedisType[] = [
  ...(['hash', 'zset', 'list', 'list', 'zset', 'zset', 'zset'] as const),
  ...(['list', 'list', 'zset', 'list', 'zset', 'hash', 'string'] as const),
];

/** A user's, in the same way. */
export const userKeyTypes: readonly RedisType[] = ['zset', 'hash'];

/** Two of the types that the key may not have: one plain, one that holds others. */
export function wrongTypesFor(type: RedisType): RedisType[] {
  return [type === 'string' ? 'zset' : 'string', type === 'list' ? 'hash' : 'list'];
}

const plantings: Readonly<Record<RedisType, (key: string) => string[]>> = {
  string: (key) => ['SET', key, 'planted'],
  list: (key) => ['RPUSH', key, 'planted'],
  hash: (key) => ['HSET', key, 'planted', '1'],
  zset: (key) => ['ZADD', key, '1', 'planted'],
  set: (key) => ['SADD', key, 'planted'],
};

/**
 * Puts a key of this type in the place of what is there.
 *
 * @returns what puts it back, unless the planted key is gone by then
 */
export async function plant(ask: Ask, key: string, type: RedisType): Promise<() => Promise<void>> {
  const aside = `aside:${key}`;
  const existed = (await ask('EXISTS', key)) === '1';
  if (existed) await ask('RENAME', key, aside);
  await ask(...plantings[type](key));
  return async () => {
    const remains = (await ask('TYPE', key)) === type;
    if (remains) await ask('DEL', key);
    if (existed && remains) await ask('RENAME', aside, key);
    else await ask('DEL', aside);
  };
}

/** Every key behind the prefix, with its type, all that it holds, and its time to live. */
export async function snapshot(ask: Ask, prefix: string): Promise<Map<string, unknown>> {
  const keys = (await ask('KEYS', `${prefix}*`)) as string[];
  const values = keys.sort().map(async (key) => {
    const [type, ttl] = await Promise.all([ask('TYPE', key), ask('PTTL', key)]);
    return [key, { type, ttl, value: await contentOf(ask, key, type as RedisType) }] as const;
  });
  return new Map(await Promise.all(values));
}

/** In an order of its own: that of a hash may change when nobody writes it (and with it its DUMP). */
async function contentOf(ask: Ask, key: string, type: RedisType): Promise<unknown> {
  switch (type) {
    case 'string':
      return ask('GET', key);
    case 'list':
      return ask('LRANGE', key, '0', '-1');
    case 'zset':
      return ask('ZRANGE', key, '0', '-1', 'WITHSCORES');
    case 'set':
      return ((await ask('SMEMBERS', key)) as string[]).sort();
    case 'hash': {
      const flat = (await ask('HGETALL', key)) as string[];
      const fields = flat.flatMap((name, at) =>
        at % 2 === 0 ? [[name, flat[at + 1]] as const] : [],
      );
      return new Map(fields.sort(([one], [other]) => (one < other ? -1 : 1)));
    }
  }
}
