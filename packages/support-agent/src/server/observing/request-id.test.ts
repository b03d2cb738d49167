import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { expectProblem, startTestApp } from '../../testing/test-app.ts';

describe('request ids', () => {
  it.each(['abc-123', '0af7651916cd43dd8448eb211c80319c', 'a/b:c=d', '~'.repeat(128)])(
    'keep the client’s own: %s',
    async (id) => {
      const { request } = await startTestApp();
      const { headers } = await request('GET', '/health', { headers: { 'x-request-id': id } });
      expect(headers['x-request-id']).toBe(id);
    },
  );

  it.each([
    ['none', {}],
    ['an empty one', { 'x-request-id': '' }],
    ['one with a space', { 'x-request-id': 'a b' }],
    ['one that is not ASCII', { 'x-request-id': 'clé' }],
    ['a long one', { 'x-request-id': 'x'.repeat(129) }],
  ])('are made in place of %s, a new one each time', async (_, headers) => {
    const { request } = await startTestApp();
    const ids = [1, 2].map(async () => {
      const response = await request('GET', '/health', { headers });
      return response.headers['x-request-id'];
    });
    const [first, second] = await Promise.all(ids);
    expect(first).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    expect(second).not.toBe(first);
  });

  it('stand in the log, and on a refusal of what is no address', async () => {
    const lines: { reqId?: string; msg: string }[] = [];
    const logger = pino({}, { write: (line) => lines.push(JSON.parse(line)) });
    const { request } = await startTestApp({ logger });
    const headers = { 'x-request-id': 'r-1' };
    for (const url of ['/api/nothing', '/api/sessions/%zz']) {
      const response = await request('GET', url, { headers });
      expectProblem(response, url.endsWith('nothing') ? 404 : 400, response.json().code);
      expect(response.headers['x-request-id']).toBe('r-1');
    }
    const refusals = lines.filter(({ msg }) => msg === 'request refused');
    expect(refusals.map(({ reqId }) => reqId)).toEqual(['r-1', 'r-1']);
  });
});
