import { describe, expect, it } from 'vitest';
import { expectProblem, operator, startTestApp } from '../../testing/test-app.ts';

describe('POST /api/sessions', () => {
  it('creates a session with a random id, a token and a cookie', async () => {
    const { request, clock } = await startTestApp();
    const response = await request('POST', '/api/sessions', { payload: { metadata: { a: [1] } } });
    expect(response.statusCode).toBe(201);
    const body = response.json();
    expect(body).toEqual({
      session_id: expect.stringMatching(/^[\w-]{20,}$/),
      token: expect.stringMatching(/^\S{43,}$/),
      user_id: null,
      thread_id: expect.any(String),
      status: 'active',
      escalated: false,
      ticket: null,
      message_count: 0,
      metadata: { a: [1] },
      created_at: new Date(clock.now()).toISOString(),
      updated_at: new Date(clock.now()).toISOString(),
      last_activity: new Date(clock.now()).toISOString(),
      expires_at: new Date(clock.now() + 30 * 60_000).toISOString(),
      version: 1,
    });
    expect(response.headers).toMatchObject({
      location: `/api/sessions/${body.session_id}`,
      'cache-control': 'no-store',
      'set-cookie': `holdfast=${body.token}; Path=/; HttpOnly; SameSite=Lax`,
    });
  });

  it('takes nobody’s word for what the assistant remembers', async () => {
    const { request } = await startTestApp();
    const payload = { metadata: { support: { facts: { email: 'ceo@example.com' } } } };
    const response = await request('POST', '/api/sessions', { payload });
    expectProblem(response, 400, 'VALIDATION');
    expect(response.json().detail).toContain('metadata.support');
  });

  it.each([
    ['no body', {}],
    ['an empty object', { payload: {} }],
    ['null', { headers: { 'content-type': 'application/json' }, payload: 'null' }],
  ])('takes %s', async (_, options) => {
    const { request } = await startTestApp();
    expect((await request('POST', '/api/sessions', options)).statusCode).toBe(201);
  });

  it.each([
    ['on localhost', { host: 'localhost:8000' }, 'holdfast', false],
    ['on 127.0.0.1', { host: '127.0.0.1:8000' }, 'holdfast', false],
    ['on [::1]', { host: '[::1]:8000' }, 'holdfast', false],
    ['behind TLS', { host: 'localhost', 'x-forwarded-proto': 'https' }, '__Host-holdfast', true],
    ['on another host', { host: 'help.example' }, '__Host-holdfast', true],
    ['on a host that begins like localhost', { host: 'localhost.evil' }, '__Host-holdfast', true],
  ])('names the cookie by where it goes: %s', async (_, headers, name, secure) => {
    const { request } = await startTestApp();
    const cookie = String(
      (await request('POST', '/api/sessions', { headers })).headers['set-cookie'],
    );
    expect(cookie.split('=')[0]).toBe(name);
    expect(cookie.includes('; Secure')).toBe(secure);
  });

  it('takes a user id from an operator only', async () => {
    const { request } = await startTestApp();
    const payload = { user_id: 'kim' };
    expectProblem(await request('POST', '/api/sessions', { payload }), 403, 'OPERATOR_ONLY');
    const response = await request('POST', '/api/sessions', { payload, headers: operator });
    expect(response.json()).toMatchObject({ user_id: 'kim' });
  });
});

describe('a session’s own address', () => {
  it('shows the session to its token, as header or cookie, and to operators', async () => {
    const { request, open } = await startTestApp();
    const { id, url, token, auth } = await open();
    const shown = await request('GET', url, { headers: auth });
    expect(shown.statusCode).toBe(200);
    expect(shown.json()).toMatchObject({ session_id: id, status: 'active' });
    expect(shown.json()).not.toHaveProperty('token');
    for (const headers of [
      { cookie: `holdfast=${token}` },
      { cookie: `__Host-holdfast=${token}` },
      operator,
    ]) {
      expect((await request('GET', url, { headers })).json()).toEqual(shown.json());
    }
  });

  it('ends the session, takes the cookie back, and is gone for its token', async () => {
    const { request, open } = await startTestApp();
    const { url, auth } = await open();
    const ended = await request('DELETE', url, { headers: auth });
    expect([ended.statusCode, ended.body]).toEqual([204, '']);
    expect(ended.headers['set-cookie']).toContain(
      'holdfast=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0',
    );
    expectProblem(await request('GET', url, { headers: auth }), 401, 'INVALID_TOKEN');
    expectProblem(await request('DELETE', url, { headers: auth }), 401, 'INVALID_TOKEN');
  });

  it('lets an operator end any session, and says when there is none', async () => {
    const { request, open } = await startTestApp();
    const { url } = await open();
    const ended = await request('DELETE', url, { headers: operator });
    expect(ended.statusCode).toBe(204);
    expect(ended.headers).not.toHaveProperty('set-cookie');
    expectProblem(await request('DELETE', url, { headers: operator }), 404, 'SESSION_NOT_FOUND');
    expectProblem(await request('GET', url, { headers: operator }), 404, 'SESSION_NOT_FOUND');
  });

  it('knows a session no longer once it has expired', async () => {
    const { request, open, clock } = await startTestApp();
    const { url, auth } = await open();
    await clock.advance(30 * 60_000);
    expectProblem(await request('GET', url, { headers: auth }), 401, 'INVALID_TOKEN');
  });
});

describe('PATCH /api/sessions/:id/status', () => {
  async function startWithStatus() {
    const test = await startTestApp();
    const session = await test.open();
    const set = (status: unknown, headers: Record<string, string>) =>
      test.request('PATCH', `${session.url}/status`, { headers, payload: { status } });
    return { ...test, session, set };
  }

  it('lets a customer close their session, which stays readable', async () => {
    const { session, set, say, request } = await startWithStatus();
    const { auth } = session;
    const closed = await set('closed', auth);
    expect(closed.statusCode).toBe(200);
    expect(closed.json()).toMatchObject({ session_id: session.id, status: 'closed' });
    expect((await set('closed', auth)).statusCode).toBe(200);
    expectProblem(await say(session, 'Hi'), 410, 'SESSION_GONE');
    expect((await request('GET', session.url, { headers: auth })).statusCode).toBe(200);
  });

  it.each(['active', 'handed_over'])('does not let a customer make it %s', async (status) => {
    const { session, set, stored } = await startWithStatus();
    expectProblem(await set(status, session.auth), 403, 'OPERATOR_ONLY');
    expect(await stored(session)).toMatchObject({ status: 'active', version: 1 });
  });

  it('lets an operator hand over, take back and reopen', async () => {
    const { session, set, say, sessions } = await startWithStatus();
    await sessions.store.update(session.id, { escalated: true });
    const handedOver = await set('handed_over', operator);
    expect(handedOver.json()).toMatchObject({ status: 'handed_over', escalated: true });
    expect((await say(session, 'Hi')).json()).toMatchObject({ message: '' });
    const back = await set('active', operator);
    expect(back.json()).toMatchObject({ status: 'active', escalated: false });
    expect((await say(session, 'How long does a refund take?')).json()).toMatchObject({
      message: expect.stringContaining('five working days'),
      requires_escalation: false,
    });
    await set('closed', operator);
    expect((await set('active', operator)).json()).toMatchObject({ status: 'active' });
    expect((await say(session, 'Hi')).statusCode).toBe(200);
  });

  describe('with the ticket that was seen', () => {
    const asked = 'I want to talk to a person, please.';

    async function startWithTicket() {
      const test = await startTestApp();
      const session = await test.open();
      const show = async () =>
        (await test.request('GET', session.url, { headers: operator })).json();
      const set = (status: string, ticket: string | null) =>
        test.request('PATCH', `${session.url}/status`, {
          headers: operator,
          payload: { status, if_ticket: ticket },
        });
      await test.say(session, asked);
      const { ticket } = await show();
      return { ...test, session, show, set, first: ticket.id as string };
    }

    it.each(['active', 'closed'])('makes it %s as long as that is the open one', async (status) => {
      const { first, set, say, session, show } = await startWithTicket();
      await say(session, 'Hello?');
      expect((await set(status, first)).json()).toMatchObject({ status });
      expect(await show()).toMatchObject({ status });
    });

    it('leaves alone one that came after the look, and tells of it', async () => {
      const { first, set, say, session, show } = await startWithTicket();
      expect((await set('active', first)).json()).toMatchObject({ escalated: false, ticket: null });
      await say(session, asked);
      const before = await show();
      expect(before.ticket.id).not.toBe(first);
      for (const [status, seen] of [
        ['active', null],
        ['active', first],
        ['closed', null],
      ] as const) {
        expectProblem(await set(status, seen), 409, 'TICKET_CHANGED');
      }
      expect(await show()).toEqual(before);
      expect((await set('active', before.ticket.id)).json()).toMatchObject({ ticket: null });
      expectProblem(await set('active', before.ticket.id), 409, 'TICKET_CHANGED');
    });

    it('is not in the way of other changes, also at the same time', async () => {
      const { first, set, sessions, session } = await startWithTicket();
      const update = sessions.store.update.bind(sessions.store);
      let others = 3;
      sessions.store.update = async (...args) => {
        others -= 1;
        if (others >= 0) await sessions.store.incrementCounter(session.id, 'others');
        return update(...args);
      };
      expect((await set('active', first)).json()).toMatchObject({ status: 'active', ticket: null });
    });

    it('says of changes that it always came too late for that they are no other ticket', async () => {
      const { first, set, sessions, session } = await startWithTicket();
      const update = sessions.store.update.bind(sessions.store);
      sessions.store.update = async (...args) => {
        await sessions.store.incrementCounter(session.id, 'others');
        return update(...args);
      };
      expectProblem(await set('active', first), 409, 'VERSION_CONFLICT');
    });

    it('leaves alone one that comes between its own look and write', async () => {
      const { first, set, say, sessions, session, show } = await startWithTicket();
      await set('active', first);
      const update = sessions.store.update.bind(sessions.store);
      sessions.store.update = async (...args) => {
        sessions.store.update = update;
        await say(session, asked);
        return update(...args);
      };
      expectProblem(await set('active', null), 409, 'TICKET_CHANGED');
      expect(await show()).toMatchObject({ escalated: true, ticket: { reason: 'asked_for' } });
    });

    it.each([1, '', 'T-1', {}])('refuses %j for a ticket', async (ticket) => {
      const { request, session } = await startWithTicket();
      const payload = { status: 'active', if_ticket: ticket };
      const headers = operator;
      expectProblem(
        await request('PATCH', `${session.url}/status`, { headers, payload }),
        400,
        'VALIDATION',
      );
    });
  });

  it.each(['open', '', 1, null, undefined])('refuses the status %j', async (status) => {
    const { set } = await startWithStatus();
    expectProblem(await set(status, operator), 400, 'VALIDATION');
  });
});
