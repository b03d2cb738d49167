import { describe, expect, it } from 'vitest';
import { EventReader } from '../../testing/event-reader.ts';
import { eventually } from '../../testing/eventually.ts';
import { PacedModel } from '../../testing/paced-model.ts';
import { expectProblem, type OpenSession, operator, startTestApp } from '../../testing/test-app.ts';
import { liveEvent } from '../api/answers.ts';

const watch = (
  address: string,
  { url, auth }: OpenSession,
  { query = '', headers = {} }: { query?: string; headers?: Record<string, string> } = {},
) => EventReader.open(`${address}${url}/stream${query}`, { headers: { ...auth, ...headers } });

const completed = ({ event }: { event: string }) => event === 'turn.completed';

describe('GET /api/sessions/:id/stream', () => {
  it('shows all that comes once it is open, turn after turn', async () => {
    const { listen, open, say } = await startTestApp();
    const session = await open();
    await say(session, 'before');
    const reader = await watch(await listen(), session);
    expect(reader.response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'content-security-policy': expect.any(String),
    });
    await say(session, 'Hello');
    await reader.until(completed);
    await say(session, 'How long does a refund take?');
    const events = await reader.until(
      ({ event, data }) =>
        event === 'turn.completed' && data.turn_id !== reader.events[0]?.data.turn_id,
    );
    const seqs = events.map(({ data }) => Number(data.seq));
    expect(seqs).toEqual(seqs.map((_, index) => (seqs[0] ?? 0) + index));
    for (const { id, event, data } of events) {
      expect(liveEvent.parse(data)).toMatchObject({ seq: Number(id), type: event });
    }
  });

  it('goes on behind the event that was seen, by Last-Event-ID or ?after=', async () => {
    const { listen, open, say } = await startTestApp();
    const session = await open();
    const address = await listen();
    await say(session, 'Hello');
    const all = await (await watch(address, session, { query: '?after=0' })).until(completed);
    expect(all.map(({ data }) => data.seq)).toEqual(all.map((_, index) => index + 1));
    for (const place of [
      { query: '?after=2' },
      { headers: { 'last-event-id': '2' } },
      // What EventSource sends when it comes back: its address as it was, and the newer place.
      { query: '?after=0', headers: { 'last-event-id': '2' } },
    ]) {
      expect(await (await watch(address, session, place)).until(completed)).toEqual(all.slice(2));
    }
  });

  it('takes an empty Last-Event-ID for none', async () => {
    const { listen, open, say } = await startTestApp();
    const session = await open();
    const reader = await watch(await listen(), session, { headers: { 'last-event-id': '' } });
    await say(session, 'Hello');
    expect((await reader.until(completed))[0]).toMatchObject({ event: 'turn.started', id: '1' });
  });

  it.each([
    ['?after=-1', {}],
    ['?after=x', {}],
    ['?after=', {}],
    ['?after=1.5', {}],
    ['?after=9999999999999999', {}],
    ['?since=1', {}],
    ['', { 'last-event-id': '-1' }],
    ['', { 'last-event-id': 'x' }],
    ['', { 'last-event-id': '1, 2' }],
  ])('refuses the place %j %j', async (query, headers) => {
    const { open, request } = await startTestApp();
    const { url, auth } = await open();
    const response = await request('GET', `${url}/stream${query}`, {
      headers: { ...auth, ...headers },
    });
    expectProblem(response, 400, 'VALIDATION');
  });

  it('tells of output that is no longer kept', async () => {
    const { listen, open, sessions } = await startTestApp();
    const session = await open();
    await sessions.turn(session.id, async (turn) => {
      for (let index = 0; index < 3_000; index += 1) turn.emit({ type: 'text', text: `${index}` });
    });
    const reader = await watch(await listen(), session, { query: '?after=1' });
    const events = await reader.until(completed);
    expect(events[0]?.event).toBe('turn.gap');
    expect(events.at(-1)?.data.seq).toBe(3_002);
    const seqs = events.map(({ id }) => Number(id));
    expect(seqs).toEqual(seqs.map((_, index) => (seqs[0] ?? 0) + index));
  });

  it('is for the token, the cookie and operators; a HEAD is not an answer without an end', async () => {
    const { listen, open, say, request } = await startTestApp();
    const session = await open();
    const address = await listen();
    for (const headers of [{ cookie: `holdfast=${session.token}` }, operator]) {
      const reader = await EventReader.open(`${address}${session.url}/stream?after=0`, { headers });
      await say(session, 'Hello');
      await reader.until(completed);
    }
    const head = await request('HEAD', `${session.url}/stream`, { headers: session.auth });
    expect(head.statusCode).toBe(404);
  });

  it('ends with its session, and says so', async () => {
    const { listen, open, request } = await startTestApp();
    const session = await open();
    const reader = await watch(await listen(), session);
    await request('DELETE', session.url, { headers: session.auth });
    expect((await reader.all()).map(({ event }) => event)).toEqual(['session.ended']);
  });

  it('ends when its token was replaced, at the next heartbeat', async () => {
    const { listen, open, sessions, clock, faults } = await startTestApp();
    const session = await open();
    const reader = await watch(await listen(), session);
    await sessions.rotateToken(session.id);
    // A store that cannot tell is no reason to end.
    faults.fail('getWithCredentials');
    await clock.advance(15_000);
    await eventually(() => reader.comments).toBe(1);
    expect(reader.isOver).toBe(false);
    await clock.advance(15_000);
    expect((await reader.all()).map(({ event }) => event)).toEqual(['session.ended']);
  });

  it('is kept open by a comment each 15 s, between events and while they come', async () => {
    const model = new PacedModel();
    const { listen, open, say, clock } = await startTestApp({ model });
    const session = await open();
    const reader = await watch(await listen(), session);
    await clock.advance(14_999);
    expect(reader.comments).toBe(0);
    const reply = say(session, 'Hello');
    const answer = await model.nextAnswer();
    answer.say('Hello!');
    await reader.until(({ event }) => event === 'text');
    await clock.advance(1);
    await eventually(() => reader.comments).toBe(1);
    answer.end();
    await reply;
    await reader.until(completed);
    await clock.advance(15_000);
    await eventually(() => reader.comments).toBe(2);
  });

  it('ends with an error, and a problem, when it cannot go on', async () => {
    const { listen, open, sessions } = await startTestApp();
    const session = await open();
    sessions.store.subscribe = async function* (_, options) {
      options?.onReady?.();
      yield { seq: 1, turnId: 't', createdAt: 0, type: 'text', text: 'a' };
      throw new RangeError('secret detail');
    };
    const reader = await watch(await listen(), session);
    const events = await reader.all();
    expect(events).toMatchObject([
      { id: '1', event: 'text' },
      { event: 'error', data: { status: 500, code: 'INTERNAL' } },
    ]);
    expect(JSON.stringify(events)).not.toContain('secret');
  });

  it('is refused with a status when it cannot begin', async () => {
    const { open, request, sessions } = await startTestApp();
    const { url, auth } = await open();
    // biome-ignore lint/correctness/useYield: a subscription that fails
    sessions.store.subscribe = async function* () {
      throw new RangeError('secret detail');
    };
    expectProblem(await request('GET', `${url}/stream`, { headers: auth }), 500, 'INTERNAL');
  });
});

describe('streams that a server can hold', () => {
  it('are as many as its limit; one that is left makes room', async () => {
    const { listen, open, say, request } = await startTestApp({ maxStreams: 2 });
    const session = await open();
    const address = await listen();
    const readers = [await watch(address, session), await watch(address, session)];
    const refused = await request('GET', `${session.url}/stream`, { headers: session.auth });
    expectProblem(refused, 503, 'STREAM_LIMIT');
    expect(refused.headers['retry-after']).toBe('1');
    const streamed = { accept: 'text/event-stream' };
    expectProblem(await say(session, 'Hello', streamed), 503, 'STREAM_LIMIT');
    expect((await say(session, 'Hello')).statusCode).toBe(200);
    readers[0]?.leave();
    await eventually(() => watch(address, session).catch(() => null)).not.toBeNull();
  });
});
