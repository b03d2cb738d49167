import { describe, expect, it } from 'vitest';
import { GatedModel } from '../../testing/gated-model.ts';
import { expectProblem, operator, startTestApp } from '../../testing/test-app.ts';

describe('POST /api/sessions/:id/messages', () => {
  it('answers with sources, confidence and the store’s figures', async () => {
    const { open, say } = await startTestApp();
    const response = await say(await open(), 'What does a return cost?');
    expect(response.statusCode).toBe(200);
    expect(response.headers['cache-control']).toBe('no-store');
    expect(response.json()).toEqual({
      message: expect.stringContaining('£3.00'),
      sources: [
        {
          id: 'returns#what-a-return-costs',
          title: 'Returns and exchanges',
          heading: 'What a return costs',
          score: expect.any(Number),
        },
      ],
      requires_escalation: false,
      confidence: expect.any(Number),
      tools_used: ['search_knowledge'],
      processing_time: expect.any(Number),
      metadata: {
        session_stats: {
          store_type: 'in_memory',
          active_sessions: 1,
          max_sessions: expect.any(Number),
          active_leases: 0,
          waiters: 0,
          l1_cache_enabled: expect.any(Boolean),
          l1_cache_size: expect.any(Number),
          l1_cache_hit_rate: expect.any(Number),
          encryption_enabled: false,
          locking_enabled: true,
        },
        ticket: null,
      },
    });
  });

  it('answers although the store cannot tell its figures: the answer is committed', async () => {
    const { open, say, faults, transcript } = await startTestApp();
    const session = await open();
    faults.fail('getStats');
    const response = await say(session, 'What does a return cost?');
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({ metadata: { session_stats: null } });
    expect(await transcript(session)).toHaveLength(2);
  });

  it('lets an operator write in any session', async () => {
    const { request, open, transcript } = await startTestApp();
    const session = await open();
    const response = await request('POST', `${session.url}/messages`, {
      headers: operator,
      payload: { message: 'Hello' },
    });
    expect(response.statusCode).toBe(200);
    expect(await transcript(session)).toHaveLength(2);
  });

  it('gives a repeat under the same Idempotency-Key the stored answer', async () => {
    const { open, say, transcript } = await startTestApp();
    const session = await open();
    const first = (await say(session, 'human please', { 'idempotency-key': 'k-1' })).json();
    const repeat = (await say(session, 'human please', { 'idempotency-key': 'k-1' })).json();
    expect({ ...repeat, metadata: null }).toEqual({ ...first, metadata: null });
    expect(await transcript(session)).toHaveLength(2);
  });

  it('refuses another body under a known Idempotency-Key', async () => {
    const { open, say, transcript } = await startTestApp();
    const session = await open();
    await say(session, 'Hello', { 'idempotency-key': 'k-1' });
    const other = await say(session, 'Bye', { 'idempotency-key': 'k-1' });
    expectProblem(other, 422, 'IDEMPOTENCY_MISMATCH');
    expect(await transcript(session)).toHaveLength(2);
  });

  it('answers two messages at once in the order in which they came', async () => {
    const model = new GatedModel();
    const { open, say, transcript } = await startTestApp({ model });
    const session = await open();
    const first = say(session, 'one');
    const asked = await model.nextQuestion();
    const second = say(session, 'two');
    asked.answer('answer one');
    (await model.nextQuestion()).answer('answer two');
    expect((await first).json()).toMatchObject({ message: 'answer one' });
    expect((await second).json()).toMatchObject({ message: 'answer two' });
    expect(await transcript(session)).toEqual([
      ['user', 'one'],
      ['assistant', 'answer one'],
      ['user', 'two'],
      ['assistant', 'answer two'],
    ]);
  });

  it('hides what broke when the model fails, and keeps the message', async () => {
    const model = new GatedModel();
    const { open, say, transcript } = await startTestApp({ model });
    const session = await open();
    const failing = say(session, 'Hi');
    (await model.nextQuestion()).fail(new RangeError('secret detail'));
    const response = await failing;
    expectProblem(response, 500, 'INTERNAL');
    expect(response.body).not.toContain('secret');
    expect(await transcript(session)).toEqual([['user', 'Hi']]);
  });

  it('says that the store is down, and when to come back', async () => {
    const { open, say, faults } = await startTestApp();
    const session = await open();
    faults.fail('begin');
    const response = await say(session, 'Hi');
    expectProblem(response, 503, 'STORE_UNAVAILABLE');
    expect(response.headers['retry-after']).toBe('1');
  });

  it('refuses a message to a closed session', async () => {
    const { open, say, sessions } = await startTestApp();
    const session = await open();
    await sessions.store.update(session.id, { status: 'closed' });
    expectProblem(await say(session, 'Hi'), 410, 'SESSION_GONE');
  });
});

describe('GET /api/sessions/:id/messages', () => {
  it('pages back through the history, each page oldest first', async () => {
    const { open, request, sessions, clock } = await startTestApp();
    const { id, url, auth } = await open();
    const texts = ['1', '2', '3', '4', '5'].map((text) => ({
      role: 'user' as const,
      content: { text },
    }));
    await sessions.store.appendMessages(id, texts);
    const page = async (query: string) => {
      const body = (await request('GET', `${url}/messages${query}`, { headers: auth })).json();
      return [body.messages.map((message: { seq: number }) => message.seq), body.next_before];
    };
    expect(await page('?limit=2')).toEqual([[4, 5], 4]);
    expect(await page('?limit=2&before=4')).toEqual([[2, 3], 2]);
    expect(await page('?limit=2&before=2')).toEqual([[1], null]);
    expect(await page('')).toEqual([[1, 2, 3, 4, 5], null]);
    expect(await page('?limit=200&before=1')).toEqual([[], null]);
    const { messages } = (
      await request('GET', `${url}/messages?before=2`, { headers: auth })
    ).json();
    expect(messages).toEqual([
      {
        id: expect.any(String),
        seq: 1,
        role: 'user',
        content: { text: '1' },
        created_at: new Date(clock.now()).toISOString(),
      },
    ]);
  });

  it.each([
    'limit=0',
    'limit=201',
    'limit=-1',
    'limit=ten',
    'limit=1&limit=2',
    'before=0',
    'before=1.5',
    'after=1',
  ])('refuses ?%s', async (query) => {
    const { open, request } = await startTestApp();
    const { url, auth } = await open();
    expectProblem(
      await request('GET', `${url}/messages?${query}`, { headers: auth }),
      400,
      'VALIDATION',
    );
  });
});
