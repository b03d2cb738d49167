import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { EventReader } from '../../testing/event-reader.ts';
import { eventually } from '../../testing/eventually.ts';
import { GatedModel } from '../../testing/gated-model.ts';
import { PacedModel } from '../../testing/paced-model.ts';
import { ScriptedModel } from '../../testing/scripted-model.ts';
import { expectProblem, type OpenSession, startTestApp } from '../../testing/test-app.ts';
import { liveEvent, replyAnswer } from '../api/answers.ts';

const stream = { accept: 'text/event-stream' };

/** Events as they stand in an answer that has ended. */
function eventsOf(body: string): { event: string; data: Record<string, unknown> }[] {
  return body
    .split('\n\n')
    .filter((block) => /^event: /m.test(block))
    .map((block) => ({
      event: /^event: (.*)$/m.exec(block)?.[1] ?? '',
      data: JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? 'null'),
    }));
}

const say = (address: string, { url, auth }: OpenSession, message: string, headers = {}) =>
  EventReader.open(`${address}${url}/messages`, {
    headers: { ...auth, ...headers },
    body: { message },
  });

describe('a message whose answer is streamed', () => {
  it('comes as live events and ends with what the plain request would answer', async () => {
    const { open, say } = await startTestApp();
    const plain = (await say(await open(), 'What does a return cost?')).json();
    const response = await say(await open(), 'What does a return cost?', stream);
    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.any(String),
    });
    const events = eventsOf(response.body);
    const last = events.pop();
    expect(last?.event).toBe('reply');
    const reply = replyAnswer.parse(last?.data);
    expect({ ...reply, metadata: null }).toEqual({ ...plain, metadata: null });
    for (const { event, data } of events) expect(liveEvent.parse(data).type).toBe(event);
    expect(events.map(({ data }) => data.seq)).toEqual(events.map((_, index) => index + 1));
    expect([events[0]?.event, events.at(-1)?.event]).toEqual(['turn.started', 'turn.completed']);
    const pieces = events.flatMap(({ event, data }) => (event === 'text' ? [data.text] : []));
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join('')).toBe(reply.message);
    expect(events.find(({ event }) => event === 'answer')?.data).toMatchObject({
      sources: reply.sources,
      confidence: reply.confidence,
      requires_escalation: false,
    });
  });

  it('has begun on the wire before an answer is made that waits for nothing', async () => {
    let sent = { bytes: 0, held: 0 };
    const model = new ScriptedModel(async function* () {
      for (let tick = 0; tick < 500; tick += 1) await null;
      const { bytesWritten: bytes = 0, writableLength: held = 0 } = socket ?? {};
      sent = { bytes, held };
      yield { type: 'text', text: 'Hi' };
      yield { type: 'end', sources: [], confidence: 1, answered: true };
    });
    const { app, listen, open } = await startTestApp({ model });
    let socket: Socket | undefined;
    app.server.on('connection', (opened) => {
      socket = opened;
    });
    await (await say(await listen(), await open(), 'Hi')).all();
    expect(sent.bytes - sent.held).toBeGreaterThan(0);
  });

  it('comes while it is made', async () => {
    const model = new PacedModel();
    const { listen, open } = await startTestApp({ model });
    const reading = say(await listen(), await open(), 'Hi');
    const answer = await model.nextAnswer();
    answer.say('one');
    const reader = await reading;
    await reader.until(({ data }) => data.text === 'one');
    answer.say('two');
    await reader.until(({ data }) => data.text === 'two');
    answer.end();
    const events = await reader.all();
    expect(events.map(({ event, data }) => data.text ?? event)).toEqual([
      ...['turn.started', 'one', 'two', 'answer', 'turn.completed', 'reply'],
    ]);
    // The reply is no live event: it is not where one resumes.
    expect(events.map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5', '5']);
  });

  it('is its reply and nothing else for a repeat under its key', async () => {
    const { open, say, transcript } = await startTestApp();
    const session = await open();
    const key = { 'idempotency-key': 'k-1' };
    const first = (await say(session, 'What does a return cost?', key)).json();
    const repeat = await say(session, 'What does a return cost?', { ...key, ...stream });
    const events = eventsOf(repeat.body);
    expect(events.map(({ event }) => event)).toEqual(['reply']);
    expect({ ...events[0]?.data, metadata: null }).toEqual({ ...first, metadata: null });
    expect(await transcript(session)).toHaveLength(2);
  });

  it('is refused with a status, as JSON, before its turn has begun', async () => {
    const { open, say, sessions, faults, request } = await startTestApp();
    const session = await open();
    expectProblem(await say(session, ' ', stream), 400, 'VALIDATION');
    const key = { 'idempotency-key': 'k-1', ...stream };
    await say(session, 'Hello', key);
    expectProblem(await say(session, 'Bye', key), 422, 'IDEMPOTENCY_MISMATCH');
    const stranger = { ...session, auth: { authorization: 'Bearer nonsense' } };
    expectProblem(await say(stranger, 'Hi', stream), 401, 'INVALID_TOKEN');
    faults.fail('begin');
    expectProblem(await say(session, 'Hi', stream), 503, 'STORE_UNAVAILABLE');
    await sessions.store.update(session.id, { status: 'closed' });
    expectProblem(await say(session, 'Hi', stream), 410, 'SESSION_GONE');
    const { message_count } = (await request('GET', session.url, { headers: session.auth })).json();
    expect(message_count).toBe(1);
  });

  it('ends with the problem when the answer fails after its turn has begun', async () => {
    const model = new GatedModel();
    const { open, say, transcript } = await startTestApp({ model });
    const session = await open();
    const failing = say(session, 'Hi', stream);
    (await model.nextQuestion()).fail(new RangeError('secret detail'));
    const { statusCode, body } = await failing;
    expect(statusCode).toBe(200);
    expect(body).not.toContain('secret');
    expect(eventsOf(body)).toMatchObject([
      { event: 'turn.started' },
      { event: 'turn.failed', data: { code: 'WORK_FAILED' } },
      { event: 'error', data: { status: 500, code: 'INTERNAL' } },
    ]);
    expect(await transcript(session)).toEqual([['user', 'Hi']]);
  });

  it('goes on without its reader, who finds the answer on coming back', async () => {
    const model = new PacedModel();
    const { listen, open, openStreams, agent, transcript } = await startTestApp({ model });
    const session = await open();
    const reading = say(await listen(), session, 'Where is my parcel?');
    const answer = await model.nextAnswer();
    answer.say('On its ');
    const reader = await reading;
    await reader.until(({ data }) => data.text === 'On its ');
    reader.leave();
    await eventually(openStreams).toBe(0);
    answer.say('way.');
    answer.end();
    await agent.idle();
    expect(await transcript(session)).toEqual([
      ['user', 'Where is my parcel?'],
      ['assistant', 'On its way.'],
    ]);
  });

  it('says its reply when the store does not tell of its events', async () => {
    const { open, say, sessions } = await startTestApp();
    const session = await open();
    // biome-ignore lint/correctness/useYield: a subscription that fails
    sessions.store.subscribe = async function* () {
      throw new Error('no subscription');
    };
    const { statusCode, body } = await say(session, 'What does a return cost?', stream);
    expect(statusCode).toBe(200);
    expect(eventsOf(body).map(({ event }) => event)).toEqual(['reply']);
  });

  it('is left by its reader also when the store does not tell of its events', async () => {
    const model = new GatedModel();
    const { app, listen, open, openStreams, sessions, agent } = await startTestApp({ model });
    const session = await open();
    // biome-ignore lint/correctness/useYield: a subscription that fails
    sessions.store.subscribe = async function* () {
      throw new Error('no subscription');
    };
    const address = await listen();
    const connected = once(app.server, 'connection');
    const reading = say(address, session, 'Hi').catch(() => {});
    const [socket] = (await connected) as [Socket];
    const question = await model.nextQuestion();
    expect(await openStreams()).toBe(1);
    socket.destroy();
    await eventually(openStreams).toBe(0);
    question.answer('Hello.');
    await agent.idle();
    await reading;
  });
});
