import { expect, it } from 'vitest';
import { chunkMarkdown } from '../knowledge/chunk-markdown.ts';
import { KnowledgeBase } from '../knowledge/knowledge-base.ts';
import { createToolBench } from '../testing/tool-bench.ts';
import { maxQueryLength, searchKnowledge, searchResult } from './search-knowledge.ts';

const knowledge = new KnowledgeBase(
  chunkMarkdown('returns', '# Returns\n## What a return costs\nA label costs £3.00.\n'),
);

it('returns the sections that fit, with what is needed to cite them', async () => {
  const { run } = await createToolBench({ knowledge });
  const result = await run(searchKnowledge, { query: 'What does a return cost?' });
  expect(result).toEqual({
    passages: [
      {
        id: 'returns#what-a-return-costs',
        title: 'Returns',
        heading: 'What a return costs',
        text: 'A label costs £3.00.',
        score: expect.any(Number),
        coverage: expect.any(Number),
      },
    ],
  });
  expect(searchResult.parse(result)).toEqual(result);
});

it('returns none for what no article has', async () => {
  const { run } = await createToolBench({ knowledge });
  expect(await run(searchKnowledge, { query: 'quantum flux' })).toEqual({ passages: [] });
});

it.each([
  ['no query', {}],
  ['a blank query', { query: ' ' }],
  ['a query without end', { query: 'x'.repeat(maxQueryLength + 1) }],
  ['a number', { query: 7 }],
  ['another field', { query: 'return', limit: 100 }],
  ['no object', 'return'],
])('tells the model what is wrong with %s', async (_, input) => {
  const { run } = await createToolBench({ knowledge });
  expect(await run(searchKnowledge, input)).toEqual({
    error: expect.stringMatching(/^The input does not fit: \S.*\.$/),
  });
});
