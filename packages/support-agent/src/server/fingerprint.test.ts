import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { EventReader } from '../testing/event-reader.ts';
import { GatedModel } from '../testing/gated-model.ts';
import { expectProblem, operator, startTestApp, type TestAppOptions } from '../testing/test-app.ts';

const chrome = (version: number) =>
  `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36`;
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0';

/** A server behind one proxy, and its customer on Chrome. */
async function start({ env, ...options }: TestAppOptions = {}) {
  const lines: { level: number; msg: string; sessionId?: string; differing?: string[] }[] = [];
  const logger = pino({}, { write: (line) => lines.push(JSON.parse(line)) });
  const test = await startTestApp({
    ...options,
    logger,
    env: { TRUSTED_PROXIES: '127.0.0.0/8', ...env },
  });
  const from = (address: string, userAgent = chrome(140)) => ({
    'user-agent': userAgent,
    'x-forwarded-for': address,
  });
  const customer = from('203.0.113.9');
  const opened = await test.request('POST', '/api/sessions', { headers: customer });
  const { session_id: id, token } = opened.json<{ session_id: string; token: string }>();
  const auth = { authorization: `Bearer ${token}` };
  const session = { id, url: `/api/sessions/${id}`, token, auth };
  return {
    ...test,
    session,
    from,
    customer,
    show: (headers: object) =>
      test.request('GET', session.url, { headers: { ...auth, ...headers } }),
    ask: (headers: object) => test.say(session, 'How long does a refund take?', headers),
    mismatches: () => lines.filter(({ msg }) => msg.startsWith('Session fingerprint mismatch')),
    async counted() {
      const { body } = await test.request('GET', '/metrics', { headers: operator });
      const of = (refused: boolean) =>
        Number(
          new RegExp(
            `^holdfast_fingerprint_mismatches_total\\{refused="${refused}"\\} (\\d+)$`,
            'm',
          ).exec(body)?.[1],
        );
      return { refused: of(true), reported: of(false) };
    },
  };
}

const strict = { SESSION_FINGERPRINT_STRICT: 'true' };

describe('the client that a session is bound to', () => {
  it('may have a newer browser and another address of its network', async () => {
    const { show, ask, from, mismatches, counted } = await start({ env: strict });
    const later = from('203.0.113.200', chrome(141));
    expect((await show(later)).statusCode).toBe(200);
    expect((await ask(later)).statusCode).toBe(200);
    expect(mismatches()).toEqual([]);
    expect(await counted()).toEqual({ refused: 0, reported: 0 });
  });

  it.each([
    ['another browser', { 'user-agent': firefox }, ['browser']],
    ['a program', { 'user-agent': 'curl/8.5.0' }, ['browser', 'os', 'device']],
    ['no User-Agent', { 'user-agent': '' }, ['browser', 'os', 'device']],
    ['another network', { 'x-forwarded-for': '198.51.100.1' }, ['ip']],
    ['a forged first hop', { 'x-forwarded-for': '203.0.113.9, 198.51.100.1' }, ['ip']],
  ])('that differs by %s is answered, logged, counted and told', async (_, headers, differing) => {
    const model = new GatedModel();
    const { ask, customer, session, mismatches, counted } = await start({ model });
    const reply = ask({ ...customer, ...headers });
    const question = await model.nextQuestion();
    expect(question.request.session.clientChanges).toEqual(differing);
    question.answer('Five working days.');
    expect((await reply).statusCode).toBe(200);
    expect(mismatches()).toEqual([
      expect.objectContaining({
        level: 40,
        msg: `Session fingerprint mismatch for ${session.id}`,
        sessionId: session.id,
        differing,
      }),
    ]);
    expect(await counted()).toEqual({ refused: 0, reported: 1 });
  });

  it.each([
    ['another browser', { 'user-agent': firefox }],
    ['no User-Agent', { 'user-agent': '' }],
    ['another network', { 'x-forwarded-for': '198.51.100.1' }],
    ['the proxy itself', { 'x-forwarded-for': 'unknown' }],
  ])('that differs by %s is refused when strict, and nothing changes', async (_, headers) => {
    const test = await start({ env: strict });
    const { show, ask, session, stored, transcript, clock, customer } = test;
    const other = { ...customer, ...headers };
    const before = await stored(session);
    await clock.advance(60_000);
    const stream = { accept: 'text/event-stream', ...other };
    for (const refused of [await show(other), await ask(other), await ask(stream)]) {
      expectProblem(refused, 403, 'FINGERPRINT_MISMATCH');
      expect(refused.json().detail).toMatch(/Start a new session/);
      expect(refused.body).not.toMatch(/browser|network|ip\b|203\.0/);
    }
    for (const [method, path, payload] of [
      ['DELETE', '', undefined],
      ['PATCH', '/status', { status: 'closed' }],
      ['GET', '/messages', undefined],
      ['GET', '/stream', undefined],
    ] as const) {
      const refused = await test.request(method, session.url + path, {
        headers: { ...session.auth, ...other },
        ...(payload && { payload }),
      });
      expectProblem(refused, 403, 'FINGERPRINT_MISMATCH');
    }
    expect(await stored(session)).toEqual(before);
    expect(await transcript(session)).toEqual([]);
    expect(await test.sessions.store.getStats()).toMatchObject({ activeLeases: 0, waiters: 0 });
    expect(await test.counted()).toEqual({ refused: 7, reported: 0 });
    expect(test.mismatches()).toHaveLength(7);
    // Its own client is not kept out by any of that.
    expect((await ask(customer)).statusCode).toBe(200);
  });

  it('is not asked for a wrong token: that is all that its sender learns', async () => {
    const { request, session, from, mismatches } = await start({ env: strict });
    const authorization = `Bearer ${session.token.slice(0, -4)}AAAA`;
    const headers = { ...from('198.51.100.1'), authorization };
    expectProblem(await request('GET', session.url, { headers }), 401, 'INVALID_TOKEN');
    expect(mismatches()).toEqual([]);
  });

  it('is bound by what the settings name', async () => {
    const env = { ...strict, SESSION_FINGERPRINT_BIND: 'user_agent' };
    const { show, from } = await start({ env });
    expect((await show(from('198.51.100.1'))).statusCode).toBe(200);
    expectProblem(await show(from('203.0.113.9', firefox)), 403, 'FINGERPRINT_MISMATCH');
  });

  it('is nobody whom a proxy that is not trusted names', async () => {
    const { show, from } = await start({ env: { ...strict, TRUSTED_PROXIES: '10.0.0.0/8' } });
    expect((await show(from('198.51.100.1'))).statusCode).toBe(200);
  });

  it('is found behind proxies that are counted, and in Forwarded', async () => {
    const { show, from, customer } = await start({ env: { ...strict, TRUSTED_PROXIES: '1' } });
    expect((await show(from('198.51.100.1, 203.0.113.77'))).statusCode).toBe(200);
    expectProblem(await show(from('203.0.113.9, 198.51.100.1')), 403, 'FINGERPRINT_MISMATCH');
    const only = (forwarded: string) => ({ 'user-agent': customer['user-agent'], forwarded });
    expect((await show(only('for=6.6.6.6, for="203.0.113.10:81"'))).statusCode).toBe(200);
    expectProblem(
      await show(only('for=203.0.113.9, for=198.51.100.1')),
      403,
      'FINGERPRINT_MISMATCH',
    );
  });
});

describe('an operator', () => {
  it('is not held to the client of a session', async () => {
    const { request, session, from, mismatches } = await start({ env: strict });
    const headers = { ...from('198.51.100.1', firefox), ...operator };
    expect((await request('GET', session.url, { headers })).statusCode).toBe(200);
    const payload = { message: 'How long does a refund take?' };
    const asked = await request('POST', `${session.url}/messages`, { headers, payload });
    expect(asked.statusCode).toBe(200);
    expect(mismatches()).toEqual([]);
  });

  it('opens sessions for others, which are bound to nobody', async () => {
    const { request, from } = await start({ env: strict });
    const opened = await request('POST', '/api/sessions', {
      headers: { ...from('10.1.1.1', 'backend/1'), ...operator },
      payload: { user_id: 'ada' },
    });
    const { session_id: id, token } = opened.json<{ session_id: string; token: string }>();
    const headers = { ...from('203.0.113.9'), authorization: `Bearer ${token}` };
    expect((await request('GET', `/api/sessions/${id}`, { headers })).statusCode).toBe(200);
  });
});

describe('an open stream', () => {
  it('counts a client that differs once, however long it stays', async () => {
    const { listen, session, from, clock, mismatches } = await start();
    const base = await listen();
    const headers = { ...session.auth, ...from('198.51.100.1') };
    const reader = await EventReader.open(`${base}${session.url}/stream`, { headers });
    expect(mismatches()).toHaveLength(1);
    for (let minute = 0; minute < 3; minute += 1) await clock.advance(60_000);
    expect(mismatches()).toHaveLength(1);
    expect(reader.isOver).toBe(false);
  });
});

describe('a proxy that is not trusted', () => {
  async function warned(env: Record<string, string>, ...requests: Record<string, string>[]) {
    const lines: { setting?: string; msg: string }[] = [];
    const logger = pino({}, { write: (line) => lines.push(JSON.parse(line)) });
    const { request } = await startTestApp({ env, logger });
    for (const headers of requests) await request('GET', '/health/live', { headers });
    return lines.flatMap(({ setting, msg }) => (setting === 'TRUSTED_PROXIES' ? [msg] : []));
  }
  const forwarded = { 'x-forwarded-for': '203.0.113.9' };

  it.each([
    [{}, forwarded, /^A request came with X-Forwarded-For, .*seem to be others.*list your proxies/],
    [strict, forwarded, /SESSION_FINGERPRINT_STRICT=true refuses/],
    [{}, { forwarded: 'for=203.0.113.9' }, /came with Forwarded/],
  ])('is noticed once, with what to do (%j, %j)', async (env, headers, message) => {
    const told = await warned(env, {}, headers, headers);
    expect(told).toEqual([expect.stringMatching(message)]);
    expect(told[0]).not.toContain('203.0.113.9');
  });

  it.each([
    [{ TRUSTED_PROXIES: '10.0.0.0/8' }],
    [{ TRUSTED_PROXIES: '1' }],
    [{ SESSION_FINGERPRINT_BIND: 'user_agent' }],
    [{ SESSION_FINGERPRINTING_ENABLED: 'false' }],
  ])('is nothing to warn of with %j', async (env) => {
    expect(await warned(env, forwarded)).toEqual([]);
  });

  it('is not supposed where nothing says that a request was passed on', async () => {
    expect(await warned(strict, {}, { via: '1.1 proxy' })).toEqual([]);
  });
});
