import { request as httpRequest, type IncomingMessage } from 'node:http';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { expectProblem, operator, startTestApp } from '../../testing/test-app.ts';

const limited = (more: Record<string, string> = {}) => ({
  env: {
    RATE_LIMIT_ENABLED: 'true',
    RATE_LIMIT_REQUESTS: '10',
    RATE_LIMIT_PERIOD: '60',
    TRUSTED_PROXIES: '127.0.0.1',
    ...more,
  },
});
const from = (address: string) => ({ 'x-forwarded-for': address });

describe('a client that sends too many requests', () => {
  it('is refused until the period is over, and told when that is', async () => {
    const { request, clock } = await startTestApp(limited());
    for (let left = 9; left >= 0; left--) {
      const { statusCode, headers } = await request('POST', '/api/sessions');
      expect(statusCode).toBe(201);
      expect(headers['ratelimit-remaining']).toBe(String(left));
    }
    await clock.advance(20_000);
    const refused = await request('POST', '/api/sessions');
    expectProblem(refused, 429, 'RATE_LIMITED');
    expect(refused.headers['retry-after']).toBe('40');
    expect(refused.json().detail).toContain('Try again in 40 s.');
    await clock.advance(40_000);
    expect((await request('POST', '/api/sessions')).statusCode).toBe(201);
  });

  it('is no other client, and an IPv6 one all of its addresses', async () => {
    const { request } = await startTestApp(limited());
    const open = async (address: string) =>
      (await request('POST', '/api/sessions', { headers: from(address) })).statusCode;
    for (let n = 0; n < 10; n++) expect(await open(`2001:db8:1:2::${n + 1}`)).toBe(201);
    expect(await open('2001:db8:1:2:ffff::1')).toBe(429);
    expect(await open('2001:db8:1:3::1')).toBe(201);
    for (let n = 0; n < 10; n++) expect(await open('203.0.113.7')).toBe(201);
    expect(await open('203.0.113.7')).toBe(429);
    expect(await open('::ffff:203.0.113.7')).toBe(429);
    expect(await open('203.0.113.8')).toBe(201);
  });

  it.each([
    ['with a letter by its number', '/%61pi/sessions'],
    ['in full', 'http://shop.example/api/sessions'],
  ])('is refused however the address is spelt: %s', async (_, path) => {
    const { listen } = await startTestApp(limited());
    const { hostname, port } = new URL(await listen());
    const statuses: (number | undefined)[] = [];
    for (let n = 0; n < 12; n++) {
      const sent = httpRequest({ hostname, port, path, method: 'POST' });
      const [{ statusCode }] = await Promise.all([
        new Promise<IncomingMessage>((resolve, reject) => {
          sent.once('response', (response) => resolve(response.resume())).once('error', reject);
        }),
        sent.end(),
      ]);
      statuses.push(statusCode);
    }
    expect(statuses).toEqual([...Array(10).fill(201), 429, 429]);
  });

  it('still gets pages and health, and operators get all', async () => {
    const { request } = await startTestApp(limited());
    for (let n = 0; n < 11; n++) await request('POST', '/api/sessions');
    for (let n = 0; n < 20; n++) {
      expect((await request('GET', '/health/live')).statusCode).toBe(200);
      expect((await request('GET', '/api/sessions', { headers: operator })).statusCode).toBe(200);
    }
  });

  it('is counted here while the store cannot count', async () => {
    const { request, faults, clock } = await startTestApp(limited());
    faults.fail('hit', { times: 1 });
    for (let n = 0; n < 10; n++) {
      expect((await request('POST', '/api/sessions')).statusCode).toBe(201);
    }
    expectProblem(await request('POST', '/api/sessions'), 429, 'RATE_LIMITED');
    // From then on the store is asked again, which has counted none of these.
    await clock.advance(1_000);
    expect((await request('POST', '/api/sessions')).statusCode).toBe(201);
  });

  it('is not, where limits are switched off', async () => {
    const { request } = await startTestApp(limited({ RATE_LIMIT_ENABLED: 'false' }));
    for (let n = 0; n < 30; n++) {
      expect((await request('POST', '/api/sessions')).statusCode).toBe(201);
    }
  });
});

describe('a session that gets too many messages', () => {
  it('takes no more, wherever they come from', async () => {
    const { open, say } = await startTestApp(limited());
    const session = await open();
    for (let n = 0; n < 10; n++) {
      const { statusCode } = await say(session, 'Hello', from(`203.0.113.${n}`));
      expect(statusCode).toBe(200);
    }
    const refused = await say(session, 'Hello', from('203.0.113.99'));
    expectProblem(refused, 429, 'RATE_LIMITED');
    expect(refused.headers['retry-after']).toBe('60');
  });

  it('cannot be shut by somebody without its token', async () => {
    const { open, say, request } = await startTestApp(limited());
    const session = await open();
    for (let n = 0; n < 15; n++) {
      const headers = { ...from(`203.0.113.${n}`), authorization: `Bearer wrong-${n}` };
      const payload = { message: 'Hello' };
      const { statusCode } = await request('POST', `${session.url}/messages`, { headers, payload });
      expect(statusCode).toBe(401);
    }
    expect((await say(session, 'Hello')).statusCode).toBe(200);
  });
});

describe('a client that guesses tokens', () => {
  it('is not one whose pages have cookies that nobody reads', async () => {
    const { open, request } = await startTestApp(limited());
    const session = await open();
    const secure = { ...from('203.0.113.7'), 'x-forwarded-proto': 'https' };
    for (let n = 0; n < 9; n++) {
      const headers = { ...secure, cookie: `holdfast=planted-${n}` };
      await request('GET', session.url, { headers });
    }
    const headers = { ...secure, ...session.auth };
    expect((await request('GET', session.url, { headers })).statusCode).toBe(200);
  });

  it('may begin anew, whatever came from its network', async () => {
    const { open, request, sessions } = await startTestApp(limited({ RATE_LIMIT_REQUESTS: '20' }));
    const ended = await Promise.all(Array.from({ length: 6 }, () => open()));
    const there = from('203.0.113.7');
    for (const { id, url, auth } of ended) {
      await sessions.revoke(id);
      await request('GET', url, { headers: { ...there, ...auth } });
    }
    const [{ url, token, auth } = await open()] = ended;
    expectProblem(
      await request('GET', url, { headers: { ...there, ...auth } }),
      429,
      'RATE_LIMITED',
    );
    const headers = { ...there, cookie: `holdfast=${token}` };
    expect((await request('POST', '/api/sessions', { headers })).statusCode).toBe(201);
  });

  it('still gets the pages and health, with the cookie that it has', async () => {
    const { open, request } = await startTestApp(limited({ RATE_LIMIT_REQUESTS: '25' }));
    const session = await open();
    for (let n = 0; n < 5; n++) {
      const headers = { authorization: `Bearer guess-${n}` };
      await request('GET', session.url, { headers });
    }
    const headers = { cookie: `holdfast=${session.token}` };
    expectProblem(await request('GET', session.url, { headers }), 429, 'RATE_LIMITED');
    for (const page of ['/', '/docs/', '/health', '/health/ready']) {
      expect((await request('GET', page, { headers })).statusCode, page).not.toBe(429);
    }
  });

  it.each(['/metrics', '/health'])(
    'is shut out of %s too, and who has a right key is not',
    async (url) => {
      const token = 'the-token-of-prometheus';
      const { request } = await startTestApp(limited({ METRICS_TOKEN: token }));
      const guess = (n: number) =>
        request('GET', url, { headers: { authorization: `Bearer guess-${n}` } });
      for (let n = 0; n < 5; n++) expect((await guess(n)).statusCode).not.toBe(429);
      expectProblem(await guess(5), 429, 'RATE_LIMITED');
      expect((await request('GET', url, { headers: operator })).statusCode).toBe(200);
      const scraper = { authorization: `Bearer ${token}` };
      expect((await request('GET', '/metrics', { headers: scraper })).statusCode).toBe(200);
      expect((await request('GET', '/health')).statusCode).toBe(200);
    },
  );

  it('is shut out sooner than others, with a warning', async () => {
    const lines: { level: number; msg: string }[] = [];
    const logger = pino({}, { write: (line) => lines.push(JSON.parse(line)) });
    const { open, request } = await startTestApp({
      ...limited({ RATE_LIMIT_REQUESTS: '100' }),
      logger,
    });
    const session = await open();
    const guess = async (authorization: string, address: string) =>
      (await request('GET', session.url, { headers: { ...from(address), authorization } }))
        .statusCode;
    for (let n = 0; n < 20; n++) expect(await guess(`Bearer guess-${n}`, '203.0.113.7')).toBe(401);
    expect(await guess('Bearer guess-20', '203.0.113.7')).toBe(429);
    // Also with the right one: it may have been found. Others are not concerned, nor operators.
    expect(await guess(session.auth.authorization, '203.0.113.7')).toBe(429);
    expect(await guess(session.auth.authorization, '203.0.113.8')).toBe(200);
    expect(await guess(operator.authorization, '203.0.113.7')).toBe(200);
    const warnings = lines.filter(({ level }) => level === 40).map(({ msg }) => msg);
    expect(warnings.filter((msg) => msg.includes('is shut out'))).toHaveLength(1);
    expect(warnings.filter((msg) => msg === 'credentials refused')).toHaveLength(20);
  });

  it('is one that guesses the operators’ key, too', async () => {
    const { request } = await startTestApp(limited({ RATE_LIMIT_REQUESTS: '25' }));
    const guess = (n: number) =>
      request('GET', '/api/stats', { headers: { authorization: `Bearer no-operator-key-${n}` } });
    for (let n = 0; n < 5; n++) expectProblem(await guess(n), 403, 'OPERATOR_ONLY');
    expectProblem(await guess(5), 429, 'RATE_LIMITED');
  });

  it('is none that comes with the token of a session that has ended', async () => {
    const { open, request, sessions } = await startTestApp(limited({ RATE_LIMIT_REQUESTS: '30' }));
    const [ended, other] = [await open(), await open()];
    await sessions.revoke(ended.id);
    for (let n = 0; n < 20; n++) {
      const { statusCode } = await request('GET', ended.url, { headers: ended.auth });
      expect(statusCode).toBe(401);
    }
    expect((await request('GET', other.url, { headers: other.auth })).statusCode).toBe(200);
  });
});
