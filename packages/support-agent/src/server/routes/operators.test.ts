import { describe, expect, it } from 'vitest';
import { GatedModel } from '../../testing/gated-model.ts';
import { expectProblem, operator, startTestApp, type TestApp } from '../../testing/test-app.ts';

const asOperator = { headers: operator };

function openFor({ request }: TestApp, user_id: string) {
  return request('POST', '/api/sessions', { ...asOperator, payload: { user_id } });
}

const idsOf = ({ sessions }: { sessions: { session_id: string }[] }) =>
  sessions.map(({ session_id }) => session_id);

describe('what only operators may do', () => {
  it.each([
    ['GET', '/api/sessions'],
    ['GET', '/api/users/kim/sessions'],
    ['DELETE', '/api/users/kim/sessions'],
    ['POST', '/api/sessions/cleanup'],
    ['GET', '/api/stats'],
    ['GET', '/metrics'],
    ['POST', '/api/sessions/some/operator-messages'],
  ] as const)('%s %s is refused to everybody else', async (method, url) => {
    const { request, open } = await startTestApp();
    const { auth, token } = await open();
    const payload = method === 'POST' ? { payload: { message: 'Hi' } } : {};
    for (const headers of [
      {},
      auth,
      { authorization: 'Bearer wrong' },
      { cookie: `holdfast=${token}` },
      { cookie: `holdfast=${operator.authorization.slice('Bearer '.length)}` },
    ]) {
      const refused = await request(method, url, { headers, ...payload });
      expectProblem(refused, 403, 'OPERATOR_ONLY');
    }
  });
});

describe('GET /api/sessions', () => {
  it('lists sessions by status and user, a page at a time', async () => {
    const test = await startTestApp();
    const { request, sessions } = test;
    const ids: string[] = [];
    for (const user of ['kim', 'kim', 'ada', 'kim']) {
      ids.push((await openFor(test, user)).json().session_id);
    }
    await sessions.store.update(ids[1] ?? '', { status: 'handed_over' });
    const list = async (query = '') =>
      (await request('GET', `/api/sessions${query}`, asOperator)).json();
    expect(idsOf(await list()).sort()).toEqual([...ids].sort());
    expect(await list()).toMatchObject({ unreadable: [], next_cursor: null });
    expect(idsOf(await list('?status=handed_over'))).toEqual([ids[1]]);
    expect(idsOf(await list('?user_id=ada'))).toEqual([ids[2]]);
    expect(idsOf(await list('?status=active&user_id=kim')).sort()).toEqual(
      [ids[0] ?? '', ids[3] ?? ''].sort(),
    );
    const first = await list('?limit=3');
    const second = await list(`?limit=3&cursor=${encodeURIComponent(first.next_cursor)}`);
    expect([...idsOf(first), ...idsOf(second)].sort()).toEqual([...ids].sort());
    expect([idsOf(first).length, second.next_cursor]).toEqual([3, null]);
    const { sessions: shown } = await list('?user_id=ada');
    expect(shown[0]).toMatchObject({ user_id: 'ada', status: 'active' });
    expect(shown[0]).not.toHaveProperty('token');
  });

  it.each(['status=open', 'user_id=a%20b', 'limit=0', 'limit=201', 'cursor=../x', 'page=2'])(
    'refuses ?%s',
    async (query) => {
      const { request } = await startTestApp();
      expectProblem(await request('GET', `/api/sessions?${query}`, asOperator), 400, 'VALIDATION');
    },
  );
});

describe('/api/users/:id/sessions', () => {
  it('lists and ends the sessions of one user', async () => {
    const test = await startTestApp();
    const { request } = test;
    const mine = [await openFor(test, 'kim'), await openFor(test, 'kim')].map((r) => r.json());
    const other = (await openFor(test, 'ada')).json();
    const list = async (user: string) =>
      idsOf((await request('GET', `/api/users/${user}/sessions`, asOperator)).json());
    expect((await list('kim')).sort()).toEqual(mine.map(({ session_id }) => session_id).sort());
    const page = await request('GET', '/api/users/kim/sessions?limit=1', asOperator);
    expect([page.json().sessions.length, page.json().next_cursor]).toEqual([1, expect.any(String)]);
    const ended = await request('DELETE', '/api/users/kim/sessions', asOperator);
    expect([ended.statusCode, ended.json()]).toEqual([200, { revoked: 2 }]);
    expect([await list('kim'), await list('ada')]).toEqual([[], [other.session_id]]);
    const again = await request('DELETE', '/api/users/kim/sessions', asOperator);
    expect(again.json()).toEqual({ revoked: 0 });
    const token = { authorization: `Bearer ${mine[0].token}` };
    const gone = await request('GET', `/api/sessions/${mine[0].session_id}`, { headers: token });
    expectProblem(gone, 401, 'INVALID_TOKEN');
  });
});

describe('DELETE /api/sessions', () => {
  it('ends every session there is, for operators alone', async () => {
    const test = await startTestApp();
    const { request, open, sessions } = test;
    const session = await open();
    await openFor(test, 'kim');
    const refused = await request('DELETE', '/api/sessions', { headers: session.auth });
    expectProblem(refused, 403, 'OPERATOR_ONLY');
    const ended = await request('DELETE', '/api/sessions', asOperator);
    expect(ended.json()).toEqual({ revoked: 2 });
    expect(await sessions.store.countActive()).toBe(0);
  });
});

describe('POST /api/sessions/:id/operator-messages', () => {
  it('stores what a person writes, while a turn runs too', async () => {
    const model = new GatedModel();
    const { request, open, say, transcript } = await startTestApp({ model });
    const session = await open();
    const reply = say(session, 'Hello?');
    const question = await model.nextQuestion();
    const written = await request('POST', `${session.url}/operator-messages`, {
      ...asOperator,
      payload: { message: 'Kim here.' },
    });
    expect(written.statusCode).toBe(201);
    expect(written.json()).toMatchObject({
      role: 'operator',
      content: { text: 'Kim here.' },
      seq: 2,
    });
    question.answer('Hello!');
    await reply;
    expect(await transcript(session)).toEqual([
      ['user', 'Hello?'],
      ['operator', 'Kim here.'],
      ['assistant', 'Hello!'],
    ]);
  });

  it('stores a repeat under its key once, and another text besides', async () => {
    const { request, open, transcript } = await startTestApp();
    const session = await open();
    const write = (message: string) =>
      request('POST', `${session.url}/operator-messages`, {
        headers: { ...operator, 'idempotency-key': 'k-1' },
        payload: { message },
      });
    const first = await write('Kim here.');
    expect((await write('Kim here.')).json()).toEqual(first.json());
    await write('Still here.');
    expect(await transcript(session)).toEqual([
      ['operator', 'Kim here.'],
      ['operator', 'Still here.'],
    ]);
  });

  it('refuses what arrives as the session is closed, and repeats what came before', async () => {
    const { request, open, sessions } = await startTestApp();
    const { id, url } = await open();
    const write = (message: string) =>
      request('POST', `${url}/operator-messages`, {
        headers: { ...operator, 'idempotency-key': 'k-1' },
        payload: { message },
      });
    const first = await write('Kim here.');
    const append = sessions.store.appendMessages.bind(sessions.store);
    sessions.store.appendMessages = async (...args) => {
      await sessions.store.update(id, { status: 'closed' });
      return append(...args);
    };
    expectProblem(await write('Too late.'), 410, 'SESSION_GONE');
    expect(await sessions.store.messages(id)).toHaveLength(1);
    expect((await write('Kim here.')).json()).toEqual(first.json());
  });

  it('refuses nothing to say, a closed session, and one that is not there', async () => {
    const { request, open, sessions } = await startTestApp();
    const { id, url } = await open();
    const write = (address: string, message: string) =>
      request('POST', `${address}/operator-messages`, { ...asOperator, payload: { message } });
    expectProblem(await write(url, ' '), 400, 'VALIDATION');
    expectProblem(await write('/api/sessions/nobody', 'Hi'), 404, 'SESSION_NOT_FOUND');
    await sessions.store.update(id, { status: 'closed' });
    expectProblem(await write(url, 'Hi'), 410, 'SESSION_GONE');
    expect(await sessions.store.messages(id)).toEqual([]);
  });
});

describe('the store, for operators', () => {
  it('tells its figures, or that it is down', async () => {
    const { request, open, faults } = await startTestApp();
    await open();
    const stats = await request('GET', '/api/stats', asOperator);
    expect(stats.json()).toMatchObject({ store_type: 'in_memory', active_sessions: 1 });
    faults.fail('getStats');
    expectProblem(await request('GET', '/api/stats', asOperator), 503, 'STORE_UNAVAILABLE');
  });

  it('is cleaned up on demand', async () => {
    const { request, open, clock } = await startTestApp();
    await open();
    const cleanup = async () =>
      (await request('POST', '/api/sessions/cleanup', asOperator)).json().removed;
    expect(await cleanup()).toBe(0);
    await clock.advance(30 * 60_000);
    expect(await cleanup()).toBeLessThanOrEqual(1);
    expect(await cleanup()).toBe(0);
  });
});
