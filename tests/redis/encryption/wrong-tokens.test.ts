import { InvalidTokenError } from 'holdfast';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import type {
  ConnectRedis,
  RedisReply,
} from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { encrypting } from '../support/encryption.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

it('a wrong token and no session take the same: one call, the same reply, nothing decrypted', async () => {
  const place = new SharedNamespace(server.url);
  const codec = encrypting(place.keyPrefix);
  const writer = await place.instance({ codec });
  const { session, token } = await writer.create({ metadata: { plan: 'pro' } });
  const { session: ended, token: unknown } = await writer.create();
  await writer.store.delete(ended.id);
  const wrong = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A');

  const replies: RedisReply[] = [];
  const connect: ConnectRedis = async (address, purpose, signal) => {
    const connection = await connectNodeRedis(address, purpose, signal);
    const send = connection.send.bind(connection);
    connection.send = async (args) => {
      const reply = await send(args);
      if (purpose === 'commands' && args[0] === 'EVALSHA') replies.push(reply);
      return reply;
    };
    return connection;
  };
  const decode = vi.spyOn(codec, 'decode');
  // One that knows of neither.
  const reader = await place.instance({ codec, connect });
  const during = async (tried: string) => {
    replies.length = 0;
    decode.mockClear();
    expect(await rejection(reader.authenticate(tried))).toBeInstanceOf(InvalidTokenError);
    return { replies: [...replies], decoded: decode.mock.calls.length };
  };
  expect(await during(wrong)).toEqual({ replies: [[]], decoded: 0 });
  expect(await during(unknown)).toEqual({ replies: [[]], decoded: 0 });
  expect((await reader.authenticate(token)).id).toBe(session.id);
});
