import {
  type Codec,
  createCodec,
  encryptionsOf,
  generateKey,
  KeyRing,
  maxEncryptions,
} from 'holdfast/encryption';
import { expect, it } from 'vitest';
import { parseHeader } from '../../../packages/holdfast/src/lib/redis/layout/header.ts';
import { startedRedis } from '../connection/fixtures.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

const maxSessionSeconds = 24 * 86_400;
const writers = 3;

it('are counted by what the session counts, and far from what a key may be used for', async () => {
  const { url } = await startedRedis();
  const place = new SharedNamespace(url);
  const real = createCodec(KeyRing.parse(generateKey()), { namespace: place.keyPrefix });
  let encryptions = 0;
  const counting: Codec = {
    name: real.name,
    authenticates: real.authenticates,
    keyIds: real.keyIds,
    encode(value, at) {
      encryptions += 1;
      return real.encode(value, at);
    },
    decode: (bytes, at) => real.decode(bytes, at),
    isStale: (bytes, at) => real.isStale(bytes, at),
    userNames: (userId) => real.userNames(userId),
    digests: (digest, at) => real.digests(digest, at),
  };
  const instances = await Promise.all(
    Array.from({ length: writers }, () => place.instance({ codec: counting })),
  );
  const [one] = instances as [(typeof instances)[0]];
  await one.create({ sessionId: 's' });
  await Promise.all(
    instances.flatMap((sessions, writer) =>
      Array.from({ length: 20 }, async (_, n) => {
        await sessions.store.update('s', { metadata: { [`${writer}-${n}`]: n } });
        await sessions.turn('s', { idempotencyKey: `${writer}-${n}` }, async (turn) => {
          turn.append({ role: 'user', content: n });
          turn.emit({ type: 'text', text: 'a' });
          return n;
        });
      }),
    ),
  );
  const ask = await place.asking();
  const header = parseHeader(String(await ask('HGET', place.keys.session('s')[0], 'h')));
  expect(encryptions).toBeGreaterThan(header.version);
  expect(encryptions).toBeLessThanOrEqual(encryptionsOf(header));
  // To reach the limit a session would have to be written so often in each second of the longest life.
  const perWrite = encryptionsOf({ version: 1, lastSeq: 0, lastEventSeq: 0 });
  expect(maxEncryptions / perWrite / maxSessionSeconds).toBeGreaterThan(100);
});
