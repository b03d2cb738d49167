import type { SessionInit, SessionState, SessionStore } from 'holdfast';
import { concurrently } from '../measuring.ts';

/** A session of ordinary size: so much JSON of state. */
export const stateBytes = 1_024;

/** How many are on their way at once while a store is filled. */
const fillingAtOnce = 128;

export function idsOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `session-${index}`);
}

/** A session of a user, whose state has that many bytes of JSON. */
export function sampleSession(id: string, stateBytes: number): SessionInit {
  const userId = id.replace('session', 'user');
  const threadId = id.replace('session', 'thread');
  const bare = { userId, threadId, metadata: { locale: 'fr-FR', plan: 'pro', notes: '' } };
  const notes = 'n'.repeat(Math.max(stateBytes - stateJson(bare).length, 0));
  return { ...bare, metadata: { ...bare.metadata, notes } };
}

/** One without a user, as small as it gets, filled up with metadata. */
export function smallSession(id: string, stateBytes: number): SessionInit {
  const bare = { threadId: id.replace('session', 't'), metadata: {} };
  const spare = stateBytes - stateJson(bare).length - '"n":""'.length;
  return spare <= 0 ? bare : { ...bare, metadata: { n: 'n'.repeat(spare) } };
}

/** The state as JSON: what a store must keep of it. */
export function stateJson({ userId = null, threadId = '', metadata = {} }: SessionInit): string {
  const state: SessionState = { userId, threadId, status: 'active', escalated: false, metadata };
  return JSON.stringify(state);
}

export async function createAll(
  store: SessionStore,
  ids: readonly string[],
  init: (id: string) => SessionInit,
): Promise<void> {
  await concurrently(ids.length, fillingAtOnce, async (index) => {
    const id = ids[index] ?? '';
    await store.create(id, init(id));
  });
}
