import type { Turn } from 'holdfast';

export const sixtyBytes = 'How long does delivery to France take for an order of today?';

/** The customer's message, the answer, and the count. */
export function plainTurn(turn: Turn): void {
  turn.append({ role: 'user', content: sixtyBytes });
  turn.append({ role: 'assistant', content: sixtyBytes });
  turn.increment('messageCount');
}
