import { connected } from '../connection/fixtures.ts';

type Reply = string | null | readonly Reply[];
export type Ask = (...words: string[]) => Promise<Reply>;

/** Commands of a test's own: their replies as text, a character for each byte. */
export async function asking(url: string): Promise<Ask> {
  const connection = await connected(url);
  await connection.send(['CLIENT', 'SETNAME', 'test']);
  return async (...words) => asText(await connection.send(words));
}

function asText(reply: unknown): Reply {
  if (Array.isArray(reply)) return reply.map(asText);
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  return reply === null ? null : String(reply);
}
