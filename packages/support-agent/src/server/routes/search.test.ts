import { expect, it } from 'vitest';
import { expectProblem, startTestApp } from '../../testing/test-app.ts';

it('searches the articles, best first, for anybody', async () => {
  const { request } = await startTestApp();
  const search = async (payload: object) =>
    (await request('POST', '/api/search', { payload })).json().results;
  const found = await search({ query: 'What does a return cost?' });
  expect(found[0]).toEqual({
    id: 'returns#what-a-return-costs',
    title: 'Returns and exchanges',
    heading: 'What a return costs',
    text: expect.stringContaining('£3.00'),
    score: expect.any(Number),
  });
  expect(found).toHaveLength(5);
  expect(await search({ query: 'What does a return cost?', limit: 2 })).toEqual(found.slice(0, 2));
  expect(await search({ query: 'qqqqq zzzzz' })).toEqual([]);
});

it.each([
  ['no query', {}],
  ['a blank one', { query: ' \n' }],
  ['a long one', { query: 'x'.repeat(1_001) }],
  ['another type', { query: ['a'] }],
  ['no passages', { query: 'a', limit: 0 }],
  ['too many', { query: 'a', limit: 21 }],
  ['half a passage', { query: 'a', limit: 1.5 }],
  ['a limit that is no number', { query: 'a', limit: '5' }],
  ['an unknown field', { query: 'a', page: 2 }],
])('refuses %s', async (_, payload) => {
  const { request } = await startTestApp();
  expectProblem(await request('POST', '/api/search', { payload }), 400, 'VALIDATION');
});
