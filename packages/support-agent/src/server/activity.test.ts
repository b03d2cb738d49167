import { describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../testing/test-app.ts';

const minute = 60_000;
const idle = 30 * minute;
const absolute = 24 * 60 * minute;

async function setUp() {
  const app = await startTestApp({
    env: { SESSION_TIMEOUT_MINUTES: '30', SESSION_ABSOLUTE_TIMEOUT_MINUTES: '1440' },
  });
  const session = await app.open();
  return { ...app, session };
}

/** What a customer's page does by itself. */
async function poll({ request }: TestApp, { url, auth }: { url: string; auth: object }) {
  for (const path of ['', '/messages', '/others']) {
    expect((await request('GET', `${url}${path}`, { headers: { ...auth } })).statusCode).toBe(200);
  }
}

describe('the idle timeout', () => {
  it('is not moved by polling, nor by what is refused; to the millisecond', async () => {
    const app = await setUp();
    const { session, clock, request } = app;
    for (let minutes = 0; minutes < 29; minutes++) {
      await clock.advance(minute);
      await poll(app, session);
      await app.say(session, '   ');
    }
    await clock.advance(minute - 1);
    await poll(app, session);
    await clock.advance(1);
    expect((await request('GET', session.url, { headers: session.auth })).statusCode).toBe(401);
  });

  it('is not moved by an open stream', async () => {
    const { session, clock, listen, request } = await setUp();
    const address = await listen();
    const stream = await fetch(`${address}${session.url}/stream`, { headers: session.auth });
    expect(stream.status).toBe(200);
    for (let minutes = 0; minutes < 30; minutes++) await clock.advance(minute);
    expect((await request('GET', session.url, { headers: session.auth })).statusCode).toBe(401);
    expect(await stream.text()).toContain('event: session.ended');
  });

  it('begins anew with each message', async () => {
    const app = await setUp();
    const { session, clock, say, request } = app;
    await clock.advance(idle - 1);
    expect((await say(session, 'Hello')).statusCode).toBe(200);
    await clock.advance(idle - 1);
    await poll(app, session);
    await clock.advance(1);
    expect((await request('GET', session.url, { headers: session.auth })).statusCode).toBe(401);
  });
});

describe('the absolute timeout', () => {
  it('is moved by nothing; to the millisecond', async () => {
    const app = await setUp();
    const { session, clock, say, request } = app;
    for (let ms = 0; ms < absolute - idle; ms += idle / 2) {
      await clock.advance(idle / 2);
      expect((await say(session, 'Hello')).statusCode).toBe(200);
    }
    await clock.advance(idle - 1);
    expect((await say(session, 'Hello')).statusCode).toBe(200);
    await clock.advance(1);
    expect((await request('GET', session.url, { headers: session.auth })).statusCode).toBe(401);
  });
});
