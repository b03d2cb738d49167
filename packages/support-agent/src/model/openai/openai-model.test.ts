import { Secret } from 'holdfast';
import { FakeClock } from 'holdfast/testing';
import { describe, expect, it } from 'vitest';
import { all } from '../../testing/all.ts';
import {
  type ChatAnswer,
  ChatServer,
  called,
  chunksOf,
  cutOff,
  hanging,
  raw,
  refusal,
  said,
  streamed,
  streamOf,
} from '../../testing/chat-server.ts';
import { eventually } from '../../testing/eventually.ts';
import { unknownCustomer } from '../../testing/unknown-customer.ts';
import { supportTools } from '../../tools/support-tools.ts';
import type { ModelMessage, ModelPart } from '../model.ts';
import { ModelServerError } from '../model-error.ts';
import { OpenAIModel } from './openai-model.ts';

const timeoutMs = 20_000;
const key = 'sk-of-the-tests-0123456789';

async function asked(...answers: readonly ChatAnswer[]) {
  const server = await ChatServer.start(...answers);
  const clock = new FakeClock();
  const apiKey = Secret.of(key);
  const model = new OpenAIModel({ baseUrl: server.base, apiKey, model: 'm-1', timeoutMs, clock });
  const leaving = new AbortController();
  const request = (messages: readonly ModelMessage[]) => ({
    messages,
    tools: supportTools.map(({ spec }) => spec),
    session: unknownCustomer,
    signal: leaving.signal,
  });
  const ask = (...messages: readonly ModelMessage[]) =>
    model.answer(request(messages.length > 0 ? messages : [{ role: 'user', text: 'Hello' }]));
  return { server, clock, model, leaving, ask };
}

type Asked = Awaited<ReturnType<typeof asked>>;

/** How asking fails, and what was said before it did. */
async function failure({ ask }: Asked) {
  const before: ModelPart[] = [];
  try {
    for await (const part of ask()) before.push(part);
  } catch (error) {
    if (!(error instanceof ModelServerError)) throw error;
    expect(error.message + JSON.stringify(error)).not.toContain('sk-');
    expect(error.message).not.toContain('127.0.0.1');
    expect(error.cause).toBeUndefined();
    return { error, before };
  }
  throw new Error('It answered.');
}

const textOf = (parts: readonly ModelPart[]) =>
  parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
const isEnd = (part: ModelPart) => part.type === 'end';

describe('an answer', () => {
  it('comes piece by piece, however its bytes are cut, with what it took', async () => {
    const { server, ask } = await asked(
      streamed(said('Grüße ', '🏔️ aus ', 'Edinburgh.'), { usage: [120, 8] }),
    );
    const parts = await all(ask());
    expect(parts.flatMap((part) => (part.type === 'text' ? [part.text] : []))).toEqual([
      ...['Grüße ', '🏔️ aus ', 'Edinburgh.'],
    ]);
    expect(parts.slice(-2)).toEqual([
      { type: 'usage', inputTokens: 120, outputTokens: 8 },
      // A greeting's answer needs no article.
      { type: 'end', sources: [], confidence: 1, answered: true },
    ]);
    const [{ path, authorization, body } = expect.fail()] = server.requests;
    expect([path, authorization]).toEqual(['/v1/chat/completions', `Bearer ${key}`]);
    expect(body).toMatchObject({ model: 'm-1', stream: true });
    expect(body.messages.map(({ role }) => role)).toEqual(['system', 'user']);
    expect(body.tools?.map((tool) => tool.function.name)).toEqual([
      ...['search_knowledge', 'remember_fact', 'escalate'],
    ]);
  });

  it('is read as it comes', async () => {
    let goOn = () => {};
    const { ask } = await asked((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunksOf(said('One')).join(''));
      goOn = () => response.end(streamOf(said(' two')));
    });
    const parts = ask();
    expect((await parts.next()).value).toEqual({ type: 'text', text: 'One' });
    goOn();
    expect((await parts.next()).value).toEqual({ type: 'text', text: ' two' });
  });

  it('may be calls of tools, in fragments and several at once', async () => {
    const { ask } = await asked(
      streamed([
        ...said('A moment.'),
        ...called('search_knowledge', '{"query":"refund “fees”"}', 0),
        ...called('remember_fact', '{"kind":"email","value":"a@b.example"}', 1),
      ]),
    );
    const parts = await all(ask());
    expect(parts.flatMap((part) => (part.type === 'tool_call' ? [part.call] : []))).toEqual([
      { id: expect.any(String), name: 'search_knowledge', input: { query: 'refund “fees”' } },
      {
        id: expect.any(String),
        name: 'remember_fact',
        input: { kind: 'email', value: 'a@b.example' },
      },
    ]);
    expect(parts.some(isEnd)).toBe(false);
  });

  it('leaves out what the model thinks', async () => {
    const { ask } = await asked(streamed([{ reasoning_content: 'Hm.' }, ...said('Yes.')]));
    expect(textOf(await all(ask()))).toBe('Yes.');
  });

  it.each([
    ['was cut off for its length', said('Half of'), { reason: 'length' }, 'Half of'],
    ['was filtered', said('Half of'), { reason: 'content_filter' }, 'Half of'],
    ['is a refusal', [{ refusal: 'I cannot.' }], {}, 'I cannot.'],
    ['was filtered whole', [], { reason: 'content_filter' }, expect.stringContaining('a person')],
  ] as const)('that %s answered nothing', async (_, deltas, end, text) => {
    const { ask } = await asked(streamed(deltas, end));
    const parts = await all(ask());
    expect(textOf(parts)).toEqual(text);
    expect(parts.at(-1)).toEqual({ type: 'end', sources: [], confidence: 0, answered: false });
  });

  it('that runs away is ended', async () => {
    const it = await asked(streamed(said('x'.repeat(9_000), 'y'.repeat(9_000))));
    const { error, before } = await failure(it);
    expect(error.problem).toBe('broken');
    // In pieces that have room among live events.
    expect(before.map((part) => textOf([part]).length)).toEqual([4_000, 4_000, 1_000]);
  });
});

describe('a failure before the first piece', () => {
  it.each([
    ['429', refusal(429, 'rate_limit_exceeded')],
    ['500', refusal(500, 'server_error')],
    ['503', refusal(503, 'overloaded')],
    ['a connection that breaks', ((response) => void response.destroy()) satisfies ChatAnswer],
    ['a stream that breaks off', cutOff([])],
    ['a stream without an end', raw(chunksOf([]).join(''))],
    ['a failure in the stream', raw('data: {"error":{"message":"Busy.","code":503}}\n\n')],
  ])('%s is tried again', async (_, answer) => {
    const { server, ask } = await asked(answer, streamed(said('Hi.')));
    expect(textOf(await all(ask()))).toBe('Hi.');
    expect(server.requests).toHaveLength(2);
  });

  it('is given up after three attempts', async () => {
    const busy = refusal(429, 'rate_limit_exceeded');
    const it = await asked(busy, busy, busy, busy);
    const { error } = await failure(it);
    expect(it.server.requests).toHaveLength(3);
    expect(error.problem).toBe('unavailable');
    expect(error.message).toContain('(429, rate_limit_exceeded)');
  });

  it('is tried again when the server says so, and not before', async () => {
    const { server, ask } = await asked(
      refusal(429, 'rate_limit_exceeded', { 'retry-after': '2' }),
      streamed(said('Hi.')),
    );
    const from = performance.now();
    expect(textOf(await all(ask()))).toBe('Hi.');
    expect(performance.now() - from).toBeGreaterThanOrEqual(1_990);
    expect(server.requests).toHaveLength(2);
  });

  it('is told at once when the server wants to be left alone for longer than may be waited', async () => {
    const it = await asked(refusal(429, 'rate_limit_exceeded', { 'retry-after': '20' }));
    const { error } = await failure(it);
    expect(error).toMatchObject({ problem: 'unavailable', retryAfterSeconds: 20 });
    expect(it.server.requests).toHaveLength(1);
  });

  it.each([
    [401, 'invalid_api_key', 'refused', 'Check OPENAI_API_KEY.'],
    [403, 'forbidden', 'refused', 'Check OPENAI_API_KEY.'],
    [404, 'model_not_found', 'refused', 'Check AGENT_MODEL and OPENAI_API_BASE.'],
    [400, 'unsupported_value', 'refused', 'Check that AGENT_MODEL can use tools'],
    [307, 'moved', 'refused', 'Set OPENAI_API_BASE to it'],
  ])('with status %i is not tried again', async (status, code, problem, remedy) => {
    const elsewhere = await ChatServer.start(streamed(said('Hi.')));
    const headers = { location: `${elsewhere.base}/chat/completions` };
    const it = await asked(refusal(status, code, headers));
    const { error } = await failure(it);
    expect(error.problem).toBe(problem);
    expect(error.message).toContain(`(${status}, ${code})`);
    expect(error.message).toContain(remedy);
    expect(it.server.requests).toHaveLength(1);
    expect(elsewhere.requests).toEqual([]);
  });

  it('has none of the words of a server that quotes the key', async () => {
    const { error } = await failure(await asked(refusal(401, key)));
    expect(error.message).toContain('(401, error)');
  });

  it('is told when there is no server', async () => {
    const it = await asked();
    it.server.stop();
    const { error } = await failure(it);
    expect(error.problem).toBe('unavailable');
    expect(error.message).toMatch(/cannot be reached \((ECONNREFUSED|ECONNRESET)\)/);
  });

  it.each([
    ['is no JSON', raw('data: {"choices": [oops\n\n')],
    ['is a page', raw('<html><body>Welcome</body></html>')],
    ['is no chunk', raw('data: {"choices": 5}\n\n')],
  ])('is told when what the server says %s', async (_, answer) => {
    const { error } = await failure(await asked(answer, answer, answer));
    expect(error.problem).toBe('broken');
  });

  it('is a key that no header can hold, which is not shown', async () => {
    const server = await ChatServer.start();
    const apiKey = Secret.of('sk-1\nsk-2');
    const model = new OpenAIModel({ baseUrl: server.base, apiKey, model: 'm', timeoutMs });
    const signal = new AbortController().signal;
    const asking = model
      .answer({ messages: [], tools: [], session: unknownCustomer, signal })
      .next();
    await expect(asking).rejects.toThrow(/^The key of the model server has characters/);
    await expect(asking).rejects.not.toThrow(/sk-/);
  });
});

describe('a failure after the first piece', () => {
  it.each([
    ['breaks off', cutOff(said('One'))],
    ['ends without saying so', raw(chunksOf(said('One')).join(''))],
    ['turns to what is no JSON', raw(`${chunksOf(said('One')).join('')}data: {oops\n\n`)],
  ])('is told, and nothing is tried again, when the stream %s', async (_, answer) => {
    const it = await asked(answer, streamed(said('Two')));
    const { error, before } = await failure(it);
    expect(error.problem).toBe('broken');
    expect(textOf(before)).toBe('One');
    expect(it.server.requests).toHaveLength(1);
  });

  it('is told as the server reported it', async () => {
    const report = 'data: {"error":{"message":"secret","type":"server_error"}}\n\n';
    const { error } = await failure(await asked(raw(chunksOf(said('One')).join('') + report)));
    expect(error.problem).toBe('unavailable');
    expect(error.message).toContain('(server_error)');
    expect(error.message).not.toContain('secret');
  });
});

describe('a server that says nothing', () => {
  it.each([
    ['at all', hanging()],
    ['but its headers', hanging([])],
    ['after the first piece', hanging(said('One'))],
  ])('%s is given up, and its connection closed', async (_, answer) => {
    const it = await asked(answer);
    const failing = failure(it);
    await eventually(() => it.server.requests.length).toBe(1);
    await eventually(() => it.clock.timers).toBe(1);
    // What was said before is on its way: the time begins anew when it arrives.
    await eventually(async () => {
      await it.clock.advance(timeoutMs);
      return it.clock.timers;
    }).toBe(0);
    const { error } = await failing;
    expect(error.problem).toBe('silent');
    expect(error.message).toContain('said nothing for 20 s');
    await it.server.requests[0]?.closed;
  });

  it('is given up within the same time when it was tried again', async () => {
    const it = await asked(refusal(500, 'server_error'), hanging());
    const failing = failure(it);
    await eventually(() => it.server.requests.length).toBe(1);
    await it.clock.advance(timeoutMs - 1);
    await eventually(() => it.server.requests.length).toBe(2);
    await it.clock.advance(1);
    expect((await failing).error.problem).toBe('silent');
  });

  it('is not one while the reader takes its time', async () => {
    let goOn = () => {};
    const it = await asked((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunksOf(said('One')).join(''));
      goOn = () => response.end(streamOf(said('Two')));
    });
    const parts = it.ask();
    await parts.next();
    await it.clock.advance(timeoutMs * 2);
    goOn();
    expect(textOf(await all(parts))).toBe('Two');
    expect(it.clock.timers).toBe(0);
  });
});

describe('the signal', () => {
  it.each([
    ['before the first piece', hanging()],
    ['after it', hanging(said('One'))],
    ['in a pause between attempts', refusal(429, 'busy', { 'retry-after': '19' })],
  ])('ends it %s, with its reason, and closes the connection', async (_, answer) => {
    const { server, ask, leaving, clock } = await asked(answer);
    const asking = all(ask());
    asking.catch(() => {});
    await eventually(() => server.requests.length).toBe(1);
    const reason = new Error('Nobody waits any more.');
    leaving.abort(reason);
    await expect(asking).rejects.toBe(reason);
    await server.requests[0]?.closed;
    expect(clock.timers).toBe(0);
  });

  it('that was given already asks nothing', async () => {
    const { server, ask, leaving } = await asked();
    leaving.abort(new Error('Too late.'));
    await expect(all(ask())).rejects.toThrow('Too late.');
    expect(server.requests).toEqual([]);
  });

  it('is not needed when the reader leaves', async () => {
    const { server, ask, clock } = await asked(hanging(said('One')));
    for await (const _ of ask()) break;
    await server.requests[0]?.closed;
    expect(clock.timers).toBe(0);
  });
});
