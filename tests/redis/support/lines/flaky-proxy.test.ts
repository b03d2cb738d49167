import { setImmediate as macrotask } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { connectNodeRedis } from '../../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import { RedisLink } from '../../../../packages/holdfast/src/lib/redis/connection/link/redis-link.ts';
import { RedisAddress } from '../../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import { defineScript } from '../../../../packages/holdfast/src/lib/redis/connection/script.ts';
import { type RedisServer, startRedis } from '../../../servers/redis-server.ts';
import {
  type FaultKind,
  FlakyProxy,
  type FlakySettings,
  flakyProxyForTest,
} from './flaky-proxy.ts';
import { RespClient } from './resp-client.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await (await RespClient.connect(server.port)).send('FLUSHALL');
});

const none = {
  ...{ delay: 0, split: 0, cutBeforeRequest: 0, cutBeforeReply: 0, cutMidReply: 0, blackHole: 0 },
};
const lost = 'Connection closed.';

async function started(settings: Partial<FlakySettings> = {}) {
  const proxy = await flakyProxyForTest(server.port, { rate: 0, ...settings });
  const connected = async () => {
    const client = await RespClient.connect(proxy.port);
    if (proxy.faults.blackHole === 0 && (settings.rate ?? 0) === 0) await client.send('HELLO', '3');
    return client;
  };
  return { proxy, connected, direct: await RespClient.connect(server.port) };
}

const about = (word: string) => (bytes: Buffer) => bytes.includes(word);

/** A connection of a client that notices at once when nothing will ever come on it any more. */
async function ask(proxy: FlakyProxy, ...words: string[]): Promise<string | undefined> {
  const holes = proxy.faults.blackHole;
  const client = await RespClient.connect(proxy.port);
  try {
    const reply = client.send(...words).catch(() => undefined);
    let isOver = false;
    reply.then(() => {
      isOver = true;
    });
    while (!isOver && proxy.faults.blackHole === holes) await macrotask();
    return isOver ? await reply : undefined;
  } finally {
    await client.close();
  }
}

describe('a healthy FlakyProxy', () => {
  it('passes everything on: pipelines, large values and messages', async () => {
    const { proxy, connected } = await started();
    const [client, subscriber] = [await connected(), await connected()];
    const large = 'x'.repeat(1_000_000);
    const replies = ['SET', 'GET'].flatMap((command) =>
      ['a', 'b'].map((key) =>
        client.send(...(command === 'SET' ? [command, key, large + key] : [command, key])),
      ),
    );
    expect(await Promise.all(replies)).toEqual([
      ...['+OK\r\n', '+OK\r\n'],
      ...[`$1000001\r\n${large}a\r\n`, `$1000001\r\n${large}b\r\n`],
    ]);
    void subscriber.send('SUBSCRIBE', 'news', 'more').catch(() => {});
    await vi.waitUntil(() => subscriber.pushes.length === 2);
    expect(await client.send('PUBLISH', 'more', 'yes')).toBe(':1\r\n');
    await vi.waitUntil(() => subscriber.pushes.length === 3);
    expect(subscriber.pushes[2]).toBe('>3\r\n$7\r\nmessage\r\n$4\r\nmore\r\n$3\r\nyes\r\n');
    expect(proxy.faults).toEqual(none);
  });

  it('ends a connection when the other side does', async () => {
    const { connected, direct } = await started();
    const client = await connected();
    const name = await client.send('CLIENT', 'SETNAME', 'through');
    expect(name).toBe('+OK\r\n');
    void client.send('QUIT').catch(() => {});
    await client.closed;
    const other = await connected();
    await other.send('CLIENT', 'SETNAME', 'through');
    await other.close();
    const reset = await connected();
    await reset.send('CLIENT', 'SETNAME', 'through');
    await reset.reset();
    await vi.waitUntil(async () => !(await direct.send('CLIENT', 'LIST')).includes('through'));
  });

  it('refuses new connections while it is told to', async () => {
    const { proxy, connected } = await started();
    const client = await connected();
    proxy.refuse();
    const refused = RespClient.connect(proxy.port).then((other) => other.send('PING'));
    await expect(refused).rejects.toThrow();
    expect(await client.send('PING')).toBe('+PONG\r\n');
    proxy.accept();
    expect(await (await connected()).send('PING')).toBe('+PONG\r\n');
  });
});

describe('a FlakyProxy with one kind of fault', () => {
  const always = (kind: FaultKind) => started({ rate: 1, kinds: [kind] });

  it.each(['delay', 'split'] as const)('%s: everything comes, in order', async (kind) => {
    const { proxy, connected } = await always(kind);
    const client = await connected();
    const replies = Array.from({ length: 20 }, (_, at) => client.send('ECHO', `message ${at}`));
    const texts = Array.from({ length: 20 }, (_, at) => `message ${at}`);
    expect(await Promise.all(replies)).toEqual(
      texts.map((text) => `$${text.length}\r\n${text}\r\n`),
    );
    expect(proxy.faults).toEqual({ ...none, [kind]: 40 });
  });

  it('cutBeforeRequest: the server never sees it', async () => {
    const { proxy, connected, direct } = await always('cutBeforeRequest');
    await expect((await connected()).send('INCR', 'key')).rejects.toThrow(lost);
    expect(await direct.send('EXISTS', 'key')).toBe(':0\r\n');
    expect(proxy.faults).toEqual({ ...none, cutBeforeRequest: 1 });
  });

  it('cutBeforeReply: the server has done it, the client learns nothing', async () => {
    const { proxy, connected, direct } = await always('cutBeforeReply');
    const client = await connected();
    await expect(client.send('INCR', 'key')).rejects.toThrow(lost);
    expect(client.bytes).toBe(0);
    expect(await direct.send('GET', 'key')).toBe('$1\r\n1\r\n');
    expect(proxy.faults).toEqual({ ...none, cutBeforeReply: 1 });
  });

  it('cutMidReply: the client gets a part', async () => {
    const { proxy, connected, direct } = await always('cutMidReply');
    await direct.send('SET', 'key', 'x'.repeat(1000));
    const client = await connected();
    await expect(client.send('GET', 'key')).rejects.toThrow(lost);
    expect(client.bytes).toBeGreaterThan(0);
    expect(client.bytes).toBeLessThan(1009);
    expect(proxy.faults).toEqual({ ...none, cutMidReply: 1 });
  });

  it('blackHole: nothing comes and goes any more, until the client gives up', async () => {
    const { proxy, connected, direct } = await always('blackHole');
    const client = await connected();
    const replies = [client.send('INCR', 'a'), client.send('INCR', 'b')];
    const outcomes = Promise.allSettled(replies);
    await vi.waitUntil(() => proxy.faults.blackHole === 1);
    proxy.healthy();
    expect(await ask(proxy, 'PING')).toBe('+PONG\r\n');
    expect(client.bytes).toBe(0);
    await client.close();
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await direct.send('EXISTS', 'a', 'b')).toBe(':0\r\n');
  });
});

describe('a fault that was asked for', () => {
  it('cuts the connection in place of the reply that it is for, after those before it', async () => {
    const { proxy, connected, direct } = await started();
    const [client, other] = [await connected(), await connected()];
    const cut = proxy.cutNextReply(about('key'));
    expect(await other.send('PING')).toBe('+PONG\r\n');
    const replies = [
      client.send('ECHO', 'before'),
      client.send('INCR', 'key'),
      client.send('ECHO', 'after'),
    ];
    const outcomes = await Promise.allSettled(replies);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    await cut;
    expect(await direct.send('GET', 'key')).toBe('$1\r\n1\r\n');
    expect(await other.send('INCR', 'key')).toBe(':2\r\n');
    expect(proxy.faults).toEqual({ ...none, cutBeforeReply: 1 });
  });

  it('swallows the reply that it is for, and everything after it', async () => {
    const { proxy, connected, direct } = await started();
    const client = await connected();
    const swallowed = proxy.swallowNextReply();
    const outcomes = Promise.allSettled([client.send('INCR', 'key')]);
    await swallowed;
    expect(await direct.send('GET', 'key')).toBe('$1\r\n1\r\n');
    const [came, later] = [client.bytes, client.send('INCR', 'key').catch(() => 'lost')];
    expect(await ask(proxy, 'PING')).toBe('+PONG\r\n');
    expect(client.bytes).toBe(came);
    await client.close();
    expect(await later).toBe('lost');
    expect((await outcomes)[0]?.status).toBe('rejected');
    expect(await direct.send('GET', 'key')).toBe('$1\r\n1\r\n');
    expect(proxy.faults).toEqual({ ...none, blackHole: 1 });
  });

  it('counts a message as no reply, and the confirmation of a subscription as one', async () => {
    const { proxy, connected, direct } = await started();
    const client = await connected();
    void client.send('SUBSCRIBE', 'news').catch(() => {});
    await vi.waitUntil(() => client.pushes.length === 1);
    const cut = proxy.cutNextReply(about('more'));
    await direct.send('PUBLISH', 'news', 'yes');
    await vi.waitUntil(() => client.pushes.length === 2);
    void client.send('SUBSCRIBE', 'more').catch(() => {});
    await Promise.all([cut, client.closed]);
    expect(client.pushes).toHaveLength(2);
  });

  it('waits for another request when the connection ends before the reply', async () => {
    const { proxy, connected, direct } = await started();
    const client = await connected();
    const cut = proxy.cutNextReply(about('list'));
    const blocked = client.send('BLPOP', 'list', '0').catch(() => 'lost');
    await vi.waitUntil(async () =>
      (await direct.send('INFO', 'clients')).includes('blocked_clients:1'),
    );
    await client.close();
    expect(await blocked).toBe('lost');
    await vi.waitUntil(async () =>
      (await direct.send('INFO', 'clients')).includes('blocked_clients:0'),
    );
    const next = await connected();
    await expect(next.send('LPUSH', 'list', 'x')).rejects.toThrow(lost);
    await cut;
    expect(await direct.send('LLEN', 'list')).toBe(':1\r\n');
  });
});

describe('a FlakyProxy with all kinds of faults', () => {
  const everything = { rate: 0.4, seed: 7, maxDelayMs: 2 };

  it('lets every request through after as many losses as are allowed', async () => {
    const proxy = await flakyProxyForTest(server.port, { ...everything, maxInARow: 2 });
    const attempts: number[] = [];
    for (let at = 0; at < 150; at++) {
      let count = 1;
      while ((await ask(proxy, 'SET', 'key', `${at}`)) === undefined) count += 1;
      attempts.push(count);
    }
    expect(new Set(attempts)).toEqual(new Set([1, 2, 3]));
    expect(Object.values(proxy.faults).every((count) => count > 0)).toBe(true);
  });

  it('has the same faults for the same seed', async () => {
    const faultsWith = async (seed: number) => {
      const proxy = await flakyProxyForTest(server.port, { ...everything, seed });
      const replies: (string | undefined)[] = [];
      for (let at = 0; at < 40; at++) replies.push(await ask(proxy, 'ECHO', `${at}`));
      return { replies, faults: { ...proxy.faults } };
    };
    expect(await faultsWith(1)).toEqual(await faultsWith(1));
    expect(await faultsWith(1)).not.toEqual(await faultsWith(2));
  });

  it('takes its seed from FLAKY_SEED, else any, and has it to tell', async () => {
    vi.stubEnv('FLAKY_SEED', '12345');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    expect((await started()).proxy.seed).toBe(12345);
    vi.stubEnv('FLAKY_SEED', '');
    expect((await started()).proxy.seed).not.toBe((await started()).proxy.seed);
  });

  it('has no more faults once it is healthy', async () => {
    const { proxy, connected } = await started({ ...everything, rate: 1 });
    proxy.healthy();
    const client = await connected();
    for (let at = 0; at < 50; at++) expect(await client.send('PING')).toBe('+PONG\r\n');
    expect(proxy.faults).toEqual(none);
    proxy.healthy(false);
    await ask(proxy, 'PING');
    expect(proxy.faults).not.toEqual(none);
  });

  it('leaves no connection after close, black holes and delays included', async () => {
    const settings = { rate: 1, kinds: ['delay'], maxDelayMs: 1e6 } as const;
    const proxy = await FlakyProxy.start(server.port, settings);
    const clients = await Promise.all([0, 1].map(() => RespClient.connect(proxy.port)));
    const replies = clients.map((client) => client.send('PING').catch(() => 'lost'));
    await vi.waitUntil(() => proxy.faults.delay === 2);
    await Promise.all([proxy.close(), proxy.close()]);
    expect(await Promise.all(replies)).toEqual(['lost', 'lost']);
    await expect(RespClient.connect(proxy.port)).rejects.toThrow();
    const direct = await RespClient.connect(server.port);
    await vi.waitUntil(async () => {
      const list = await direct.send('CLIENT', 'LIST');
      return [...list.matchAll(/^id=/gm)].length <= 2;
    });
  });
});

/** Adds one, once per nonce. */
const addOnce = defineScript(
  'add-once',
  `if redis.call('HSETNX', KEYS[1], ARGV[1], '') == 1 then redis.call('HINCRBY', KEYS[1], 'sum', 1) end
   return redis.call('HGET', KEYS[1], 'sum')`,
);

describe('a RedisLink through a FlakyProxy', () => {
  it('loses no call and doubles none', async () => {
    const kinds = ['delay', 'split', 'cutBeforeRequest', 'cutBeforeReply', 'cutMidReply'] as const;
    const proxy = await flakyProxyForTest(server.port, { rate: 0.05, kinds, maxInARow: 3 });
    const quiet = { debug() {}, info() {}, warn() {}, error() {} };
    proxy.healthy();
    const link = await RedisLink.open({
      ...{ address: new RedisAddress({ url: proxy.url }), connect: connectNodeRedis },
      ...{ timeoutMs: 60_000, connectTimeoutMs: 60_000, retries: 3 },
      ...{ scripts: [addOnce], logger: quiet },
    });
    onTestFinished(() => link.close());
    proxy.healthy(false);
    const add = (nonce: string) => link.call(addOnce, ['sums'], [nonce], nonce);
    let calls = 0;
    while (kinds.some((kind) => proxy.faults[kind] < 3)) {
      await Promise.all([1, 2, 3, 4, 5].map((at) => add(`${calls + at}`)));
      calls += 5;
    }
    expect(String(await link.command(['HGET', 'sums', 'sum']))).toBe(String(calls));
  });
});
