import { createSessionManager, loadConfig } from 'holdfast';
import { z } from 'zod';

await using sessions = await createSessionManager(loadConfig(), {
  metadata: z.object({ plan: z.enum(['free', 'pro']).default('free') }),
});
await sessions.getOrCreate({ sessionId: 'user-123', userId: 'user-123' });

const reply = await sessions.turn(
  'user-123',
  { userId: 'user-123', idempotencyKey: 'message-1' },
  async (turn) => {
    turn.append({ role: 'user', content: 'Which plan am I on?' });
    turn.increment('messageCount');
    await turn.checkpoint(); // the question is safe, whatever becomes of the answer

    const answer = `You are on the ${turn.session.metadata.plan} plan.`;
    turn.append({ role: 'assistant', content: answer });
    return answer;
  },
);
console.log(reply); // You are on the free plan.

const messages = await sessions.store.messages('user-123');
console.log(messages.length); // 2
