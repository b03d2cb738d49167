import { z } from 'zod';
import { defineTool } from './tool.ts';

export const maxQueryLength = 2_000;
/** The result is stored with the conversation: no more than an answer can need. */
const maxPassages = 3;

export const searchKnowledge = defineTool({
  name: 'search_knowledge',
  description:
    'Searches the help articles. Returns the sections that fit best, best first: id, title, heading, text, score, and coverage, the share of the query that a section has, from 0 to 1.',
  input: z.strictObject({
    query: z.string().trim().min(1).max(maxQueryLength),
  }),
  run: ({ query }, { knowledge }) => ({
    passages: knowledge
      .search(query, { limit: maxPassages })
      .map(({ id, title, heading, text, score, coverage }) => ({
        id,
        title,
        heading,
        text,
        score,
        coverage,
      })),
  }),
});

const passage = z.object({
  id: z.string(),
  title: z.string(),
  heading: z.string(),
  text: z.string(),
  score: z.number(),
  coverage: z.number(),
});

/** What the tool returns. */
export const searchResult = z.object({ passages: z.array(passage) });
