import { vi } from 'vitest';
import {
  type Message,
  prepareMessage,
} from '../../../../packages/holdfast/src/lib/model/message.ts';
import type { TurnEnd } from '../../../../packages/holdfast/src/lib/store/turn-store.ts';
import type { RedisServer } from '../../../servers/redis-server.ts';
import { type Instance, type InstanceOptions, SharedNamespace } from '../shared-namespace.ts';
import { type FlakyProxy, flakyProxyForTest } from './flaky-proxy.ts';

/** Two instances of one namespace, and the session "s", once it is created. */
export interface LossyScene {
  /** Its replies can be lost. */
  readonly one: Instance;
  /** Its way is sound. */
  readonly other: Instance;
  /** The way of `one`. */
  readonly proxy: FlakyProxy;
  /** Resolves when somebody waits for the session. */
  isWaiting(): Promise<void>;
  /** Makes Redis forget all but the last 32 writes, as when they are older than any repetition. */
  forget(): Promise<void>;
  /** Resolves when `one` can do again what it could. */
  recovered(): Promise<void>;
}

export async function lossyScene(
  server: RedisServer,
  options: InstanceOptions = {},
): Promise<LossyScene> {
  const place = new SharedNamespace(server.url);
  const proxy = await flakyProxyForTest(server.port, { rate: 0 });
  const one = await place.instance({ url: proxy.url, timeoutMs: 60_000, ...options });
  const other = await place.instance({ timeoutMs: 60_000 });
  const ask = await place.asking();
  const keys = place.keys.session('s');
  const limit = { timeout: 60_000, interval: 1 };
  return {
    one,
    other,
    proxy,
    isWaiting: async () => {
      await vi.waitUntil(async () => (await ask('ZCARD', keys[1])) !== '0', limit);
    },
    forget: async () => {
      await ask('LTRIM', keys[8], '-64', '-1');
    },
    recovered: async () => {
      const works = () => one.store.exists('s').then(() => true);
      await vi.waitUntil(() => works().catch(() => false), { ...limit, interval: 10 });
    },
  };
}

export const end: TurnEnd = { keep: false, outcome: undefined };

export const message = (content: string) => prepareMessage({ role: 'user', content });

export async function contents({ store }: Instance): Promise<Message['content'][]> {
  return (await store.messages('s')).map(({ content }) => content);
}
