import type { Message } from 'holdfast';
import { z } from 'zod';
import type { ModelMessage } from '../model/model.ts';

const spoken = z.object({
  role: z.enum(['user', 'assistant', 'operator']),
  content: z.object({ text: z.string() }),
});

/**
 * What was said before the question, which is stored already. Messages of another kind (a tool's
 * result) are left out. In a retry after other messages the question stands among them, as it did.
 */
export function historyBefore(question: string, messages: readonly Message[]): ModelMessage[] {
  const said = messages.flatMap((message): ModelMessage[] => {
    const result = spoken.safeParse(message);
    return result.success ? [{ role: result.data.role, text: result.data.content.text }] : [];
  });
  const last = said.at(-1);
  return last?.role === 'user' && last.text === question ? said.slice(0, -1) : said;
}
