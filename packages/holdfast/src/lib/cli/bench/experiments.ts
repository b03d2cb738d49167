import type { SessionManager } from '../../manager/session-manager.ts';
import type { Experiment } from './measure.ts';

const crowd = 50;
const queue = 20;

async function created(sessions: SessionManager, name: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, at) => `${name}-${at}`);
  await Promise.all(ids.map((id) => sessions.store.create(id, { metadata: { plan: 'free' } })));
  return ids;
}

const question = { role: 'user', content: 'Where is the order that I placed last week?' } as const;
const answer = {
  role: 'assistant',
  content: 'It has left our warehouse, and comes tomorrow.',
} as const;

/** What a server does with sessions, from the cheapest on. */
export const experiments: readonly Experiment[] = [
  {
    name: 'read, from this process',
    needsL1: true,
    atOnce: 1,
    async prepare(sessions) {
      const [id = ''] = await created(sessions, 'kept', 1);
      return () => sessions.store.get(id);
    },
  },
  {
    name: 'read, from Redis',
    atOnce: 1,
    async prepare(sessions) {
      const [id = ''] = await created(sessions, 'fresh', 1);
      return () => sessions.store.get(id, { fresh: true });
    },
  },
  {
    name: 'turn, one at a time',
    atOnce: 1,
    async prepare(sessions) {
      const [id = ''] = await created(sessions, 'alone', 1);
      return () => sessions.turn(id, (turn) => turn.increment('messageCount'));
    },
  },
  {
    name: "an agent's message",
    atOnce: 1,
    async prepare(sessions) {
      const [id = ''] = await created(sessions, 'message', 1);
      return () =>
        sessions.turn(id, async (turn) => {
          await turn.messages({ limit: 20 });
          turn.append(question);
          await turn.checkpoint();
          turn.append(answer);
          turn.increment('messageCount');
        });
    },
  },
  {
    name: `turns, ${crowd} sessions at once`,
    atOnce: crowd,
    async prepare(sessions) {
      const ids = await created(sessions, 'crowd', crowd);
      return (worker) => sessions.turn(ids[worker] ?? '', (turn) => turn.increment('messageCount'));
    },
  },
  {
    name: `turns, ${queue} wait for one session`,
    atOnce: queue,
    async prepare(sessions) {
      const [id = ''] = await created(sessions, 'queue', 1);
      return () => sessions.turn(id, (turn) => turn.increment('messageCount'));
    },
  },
];
