import { type Codec, createCodec, generateKey, KeyRing } from 'holdfast/encryption';
import { prepareMessage } from '../../../packages/holdfast/src/lib/model/message.ts';
import type { SharedNamespace } from './shared-namespace.ts';

/** Of the turn that is to be repeated. */
export const idempotency = { key: 'k', requestDigest: 'd' };

/**
 * The session "s" with what an attempt stored whose effects are under a key that is lost, and all else that a
 * begin reads is not.
 *
 * @returns the codec that has the other key alone
 */
export async function withLostEffects(
  place: SharedNamespace,
  metadata = {},
): Promise<{ readonly kept: Codec }> {
  const [lost, other] = [generateKey(), generateKey()];
  const under = (keys: string) => createCodec(KeyRing.parse(keys), { namespace: place.keyPrefix });
  const kept = under(other);
  await (await place.instance({ codec: kept })).store.create('s', { metadata });
  const early = await place.instance({ codec: under(`${lost},${other}`) });
  const { lease } = await early.begin('s', { idempotency });
  await early.store.commit(
    lease,
    {
      nonce: 'c',
      messages: [prepareMessage({ role: 'user', content: 'Hi' })],
      effects: ['0:digest'],
    },
    { keep: true, leaseMs: 30_000 },
  );
  await early.store.release(lease);
  return { kept };
}
