import { StepUpRequiredError } from 'holdfast';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { expectProblem, operator, startTestApp, type TestApp } from '../testing/test-app.ts';

/** A session whose user an operator vouches for. */
async function openFor({ request }: TestApp, user: string) {
  const response = await request('POST', '/api/sessions', {
    headers: operator,
    payload: { user_id: user },
  });
  const { session_id: id, token } = response.json<{ session_id: string; token: string }>();
  return { id, url: `/api/sessions/${id}`, token, auth: { authorization: `Bearer ${token}` } };
}

describe('the token of a session', () => {
  it('is rotated: the old one fails at once, the new one is in the answer and the cookie', async () => {
    const { open, request } = await startTestApp();
    const session = await open();
    const rotated = await request('POST', `${session.url}/token`, { headers: session.auth });
    expect(rotated.statusCode).toBe(200);
    const { token, session_id: id } = rotated.json();
    expect(id).toBe(session.id);
    expect(token).not.toBe(session.token);
    expect(String(rotated.headers['set-cookie'])).toContain(`holdfast=${token};`);
    expectProblem(
      await request('GET', session.url, { headers: session.auth }),
      401,
      'INVALID_TOKEN',
    );
    const headers = { authorization: `Bearer ${token}` };
    expect((await request('GET', session.url, { headers })).statusCode).toBe(200);
  });

  it('is not rotated by whoever has another one, nor from another site', async () => {
    const { open, request } = await startTestApp();
    const [session, other] = [await open(), await open()];
    expectProblem(
      await request('POST', `${session.url}/token`, { headers: other.auth }),
      401,
      'INVALID_TOKEN',
    );
    const headers = { cookie: `holdfast=${session.token}`, 'sec-fetch-site': 'cross-site' };
    expectProblem(
      await request('POST', `${session.url}/token`, { headers }),
      403,
      'CROSS_SITE_REQUEST',
    );
    expect((await request('GET', session.url, { headers: session.auth })).statusCode).toBe(200);
  });

  it('is not rotated with one that was rotated meanwhile: the new one would be void unused', async () => {
    const { open, request, sessions } = await startTestApp();
    const session = await open();
    const authenticate = sessions.authenticate.bind(sessions);
    let rotated: ReturnType<typeof request> | undefined;
    sessions.authenticate = async (...call) => {
      const found = await authenticate(...call);
      // The one request has been let in, and the other one comes in between.
      if (rotated === undefined) {
        rotated = request('POST', `${session.url}/token`, { headers: session.auth });
        await rotated;
      }
      return found;
    };
    const late = await request('POST', `${session.url}/token`, { headers: session.auth });
    expectProblem(late, 401, 'INVALID_TOKEN');
    const headers = { authorization: `Bearer ${(await rotated)?.json().token}` };
    expect((await request('GET', session.url, { headers })).statusCode).toBe(200);
  });

  it('is no login where it is rotated for the old one, and one where an operator vouches for it', async () => {
    const { open, request, sessions, clock } = await startTestApp();
    const session = await open();
    await clock.advance(300_001);
    const headers = session.auth;
    expect((await request('POST', `${session.url}/token`, { headers })).statusCode).toBe(200);
    await expect(sessions.requireFresh(session.id, 300)).rejects.toThrow(StepUpRequiredError);
    await request('POST', `${session.url}/token`, { headers: operator });
    await expect(sessions.requireFresh(session.id, 300)).resolves.toBeUndefined();
  });
});

describe('the other sessions of a user', () => {
  it('are listed by their handles, without tokens, and ended', async () => {
    const app = await startTestApp();
    const [one, two, three] = [
      await openFor(app, 'ada'),
      await openFor(app, 'ada'),
      await openFor(app, 'bob'),
    ];
    const listed = await app.request('GET', `${one.url}/others`, { headers: one.auth });
    expect(
      listed.json().sessions.map(({ session_id }: { session_id: string }) => session_id),
    ).toEqual([two.id]);
    for (const { token } of [one, two, three]) expect(listed.body).not.toContain(token);
    const ended = await app.request('DELETE', `${one.url}/others`, { headers: one.auth });
    expect(ended.json()).toEqual({ revoked: 1 });
    expectProblem(await app.request('GET', two.url, { headers: two.auth }), 401, 'INVALID_TOKEN');
    for (const { url, auth } of [one, three]) {
      expect((await app.request('GET', url, { headers: auth })).statusCode).toBe(200);
    }
  });

  it('are listed a page at a time, all of them', async () => {
    const app = await startTestApp();
    const { store } = app.sessions;
    const ids = Array.from({ length: 201 }, (_, index) => `other-${index}`);
    for (const id of ids) await store.create(id, { userId: 'ada' });
    const { url, auth } = await openFor(app, 'ada');
    const found: string[] = [];
    let cursor: string | null = '';
    for (let pages = 0; cursor !== null && pages < 9; pages += 1) {
      const query: string = cursor === '' ? '?limit=100' : `?limit=100&cursor=${cursor}`;
      const page = (await app.request('GET', `${url}/others${query}`, { headers: auth })).json();
      found.push(...page.sessions.map((other: { session_id: string }) => other.session_id));
      cursor = page.next_cursor;
    }
    expect(cursor).toBeNull();
    expect(found.sort()).toEqual(ids.sort());
    const first = (await app.request('GET', `${url}/others`, { headers: auth })).json();
    expect(first.sessions).toHaveLength(50);
    expect(first.next_cursor).not.toBeNull();
  });

  it('are listed without those that cannot be read, which operators are told of', async () => {
    const app = await startTestApp();
    const { store } = app.sessions;
    const listActive = store.listActive.bind(store);
    store.listActive = async (options) => {
      const page = await listActive(options);
      const reason = 'The state of session damaged is not what was written.';
      const why = { code: 'DECRYPTION', isDamaged: true, reason, remedy: '' } as const;
      return { ...page, unreadable: [{ id: 'damaged', ...why }] };
    };
    const [one, two] = [await openFor(app, 'ada'), await openFor(app, 'ada')];
    const listed = await app.request('GET', `${one.url}/others`, { headers: one.auth });
    expect(listed.json().sessions).toMatchObject([{ session_id: two.id }]);
    expect(listed.body).not.toContain('damaged');
    const all = await app.request('GET', '/api/sessions?user_id=ada', { headers: operator });
    expect(all.json().unreadable).toMatchObject([{ session_id: 'damaged' }]);
  });

  it('are nobody’s where no operator has said whose they are', async () => {
    const { open, request } = await startTestApp();
    const [one, two] = [await open(), await open()];
    const listed = await request('GET', `${one.url}/others`, { headers: one.auth });
    expect(listed.json()).toEqual({ sessions: [], next_cursor: null });
    const ended = await request('DELETE', `${one.url}/others`, { headers: one.auth });
    expect(ended.json()).toEqual({ revoked: 0 });
    expect((await request('GET', two.url, { headers: two.auth })).statusCode).toBe(200);
    const claiming = await request('POST', '/api/sessions', { payload: { user_id: 'ada' } });
    expectProblem(claiming, 403, 'OPERATOR_ONLY');
  });
});

it('what becomes of sessions is logged, with a keyed hash of the token', async () => {
  const lines: { msg: string; sessionId?: string; tokenHash?: string }[] = [];
  const logger = pino({}, { write: (line) => lines.push(JSON.parse(line)) });
  const { open, request, clock } = await startTestApp({ logger });
  const session = await open();
  await request('GET', session.url, { headers: { authorization: `Bearer ${session.token}x` } });
  const rotated = await request('POST', `${session.url}/token`, { headers: session.auth });
  const headers = { authorization: `Bearer ${rotated.json().token}` };
  await request('DELETE', session.url, { headers });
  const other = await open();
  await clock.advance(31 * 60_000);
  await request('GET', other.url, { headers: other.auth });
  const found = (msg: string) => lines.filter((line) => line.msg === msg);
  const [created] = found('session created');
  const [turned] = found('session token rotated');
  const [ended] = found('session ended by request');
  expect(created).toMatchObject({
    sessionId: session.id,
    tokenHash: expect.stringMatching(/^[\w-]{22}$/),
  });
  expect(turned?.sessionId).toBe(session.id);
  expect(turned?.tokenHash).not.toBe(created?.tokenHash);
  expect(ended).toMatchObject({ sessionId: session.id, tokenHash: turned?.tokenHash });
  expect(found('credentials refused')).toHaveLength(2);
  expect(found('sessions revoked')).toHaveLength(1);
  expect(found('session expired')).toMatchObject([{ sessionId: other.id }]);
  expect(JSON.stringify(lines)).not.toContain(session.token.slice(-20));
});
