import { createCodec, generateKey, KeyRing } from 'holdfast/encryption';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  DecryptionError,
  OutcomeUnknownError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

it('a turn whose commit is there, of a state that no key here opens, does not say that nothing was written', async () => {
  const place = new SharedNamespace(server.url);
  const [old, next] = [generateKey(), generateKey()];
  const instance = (keys: string) =>
    place.instance({ codec: createCodec(KeyRing.parse(keys), { namespace: place.keyPrefix }) });
  const [late, early] = [await instance(old), await instance(`${next},${old}`)];
  await late.store.create('s');
  const turn = late.turn('s', async (running) => {
    running.increment('messageCount');
    await early.store.update('s', { escalated: true });
  });
  const error = await rejection(turn);
  expect(await early.store.get('s')).toMatchObject({ messageCount: 1, escalated: true });
  expect(error).toBeInstanceOf(OutcomeUnknownError);
  expect(error.cause).toBeInstanceOf(DecryptionError);
});
