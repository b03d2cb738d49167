import { expect, it } from 'vitest';
import { operator, startTestApp } from './testing/test-app.ts';

/**
 * One conversation through every layer, in the order of DESIGN §2:
 * HTTP request → routes → CustomerSupportAgent → SessionManager → SessionStore, and back.
 */
it('holds a conversation of five messages, from the first question to a person', async () => {
  const { request, sessions, clock } = await startTestApp();

  // A customer opens the page: the server issues a random id and a secret, as a cookie too.
  const created = await request('POST', '/api/sessions', {
    payload: { metadata: { page: 'faq' } },
  });
  const { session_id: id, token } = created.json();
  const cookie = String(created.headers['set-cookie']).split(';')[0] ?? '';
  expect(cookie).toBe(`holdfast=${token}`);

  const say = async (message: string, key: string) => {
    const response = await request('POST', `/api/sessions/${id}/messages`, {
      headers: { cookie, 'sec-fetch-site': 'same-origin', 'idempotency-key': key },
      payload: { message },
    });
    expect(response.statusCode).toBe(200);
    return response.json();
  };

  // Each message is one turn: question and answer are stored, and a repeat changes nothing.
  expect(await say('Hello!', 'key-1')).toMatchObject({ sources: [], requires_escalation: false });
  const answer = await say('How long does a refund take?', 'key-2');
  expect(answer).toMatchObject({
    message: expect.stringContaining('five working days'),
    sources: [{ title: 'Refunds' }],
    confidence: expect.any(Number),
  });
  expect(await say('How long does a refund take?', 'key-2')).toMatchObject({
    message: answer.message,
  });
  const unknown = await say('Who won the world cup?', 'key-3');
  expect(unknown).toMatchObject({
    sources: [],
    message: expect.stringContaining('talk to a person'),
  });

  // The customer takes the offer. The flag is on the session for operators to find, and the ticket.
  const escalated = await say('yes please', 'key-4');
  const { ticket } = escalated.metadata;
  expect(escalated).toMatchObject({
    requires_escalation: true,
    message: expect.stringContaining(ticket.id),
  });
  expect(await sessions.store.get(id)).toMatchObject({
    escalated: true,
    status: 'active',
    messageCount: 4,
    metadata: { page: 'faq', support: { tickets: [ticket] } },
  });

  // A person takes over: from here on messages are stored and no model is asked.
  await sessions.store.update(id, { status: 'handed_over' });
  await sessions.store.appendMessages(id, [
    { role: 'operator', content: { text: 'Hi, Kim here.' } },
  ]);
  expect(await say('Thank you, Kim', 'key-5')).toMatchObject({ message: '', tools_used: [] });

  // Page reloaded: the history is there, in order, once, with the tools' messages in between.
  const history = await request('GET', `/api/sessions/${id}/messages`, { headers: { cookie } });
  const messages: { seq: number; role: string; content: { text?: string } }[] =
    history.json().messages;
  expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, index) => index + 1));
  expect(messages.map(({ role }) => role)).toEqual([
    ...['user', 'assistant'],
    ...['user', 'assistant', 'tool', 'assistant'],
    ...['user', 'assistant', 'tool', 'assistant'],
    ...['user', 'assistant', 'tool', 'assistant'],
    ...['operator', 'user'],
  ]);
  const spoken = messages.map(({ content }) => content.text).filter(Boolean);
  expect(spoken).toHaveLength(10);
  expect(spoken[3]).toBe(answer.message);

  // An operator sees the same session; the customer ends it, and nothing of it is left.
  const seen = await request('GET', `/api/sessions/${id}`, { headers: operator });
  expect(seen.json()).toMatchObject({ status: 'handed_over', message_count: 5 });
  const ended = await request('DELETE', `/api/sessions/${id}`, { headers: { cookie } });
  expect(ended.statusCode).toBe(204);
  expect((await request('GET', `/api/sessions/${id}`, { headers: operator })).statusCode).toBe(404);
  await clock.advance(1);
  expect(await sessions.store.countActive()).toBe(0);
});
