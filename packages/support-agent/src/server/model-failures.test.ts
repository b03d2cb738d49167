import { Secret } from 'holdfast';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../logger.ts';
import { OpenAIModel } from '../model/openai/openai-model.ts';
import {
  type ChatAnswer,
  ChatServer,
  cutOff,
  hanging,
  raw,
  refusal,
  said,
  streamed,
} from '../testing/chat-server.ts';
import { GatedModel } from '../testing/gated-model.ts';
import { ScriptedModel } from '../testing/scripted-model.ts';
import { expectProblem, startTestApp } from '../testing/test-app.ts';

const key = 'sk-of-the-tests-0123456789';
const stream = { accept: 'text/event-stream' };

async function appWith(...answers: readonly ChatAnswer[]) {
  const chat = await ChatServer.start(...answers);
  const model = new OpenAIModel({
    ...{ baseUrl: chat.base, apiKey: Secret.of(key), model: 'm', timeoutMs: 10_000 },
  });
  return { chat, ...(await startTestApp({ model })) };
}

describe('a model server that fails', () => {
  it.each([
    [503, 'MODEL_UNAVAILABLE', refusal(429, 'rate_limit_exceeded', { 'retry-after': '77' }), '77'],
    [502, 'MODEL_FAILED', refusal(401, 'invalid_api_key'), undefined],
    [502, 'MODEL_FAILED', raw('data: {oops\n\n'), undefined],
    [502, 'MODEL_FAILED', cutOff(said('Half')), undefined],
  ])(
    'is a %i %s, and a repeat under the same key completes it',
    async (status, code, answer, retry) => {
      const { open, say, transcript } = await appWith(answer, streamed(said('Hello!')));
      const session = await open();
      const header = { 'idempotency-key': 'k-1' };
      const refused = await say(session, 'Good morning', header);
      expectProblem(refused, status, code);
      expect(refused.json().detail).toContain('under the same Idempotency-Key');
      expect(refused.headers['retry-after']).toBe(retry);
      expect(refused.body).not.toMatch(/127\.0\.0\.1|sk-|OPENAI/);
      const repeated = await say(session, 'Good morning', header);
      expect(repeated.json()).toMatchObject({ message: 'Hello!' });
      expect(await transcript(session)).toEqual([
        ['user', 'Good morning'],
        ['assistant', 'Hello!'],
      ]);
    },
  );

  it('that says nothing is a 504', async () => {
    const chat = await ChatServer.start(hanging());
    const server = { baseUrl: chat.base, apiKey: undefined, model: 'm', timeoutMs: 50 };
    const { open, say } = await startTestApp({ model: new OpenAIModel(server) });
    expectProblem(await say(await open(), 'Hello'), 504, 'MODEL_TIMEOUT');
  });

  it('in the middle of a streamed answer is told in the stream', async () => {
    const { open, say } = await appWith(cutOff(said('Half')));
    const { statusCode, body } = await say(await open(), 'Good morning', stream);
    expect(statusCode).toBe(200);
    const last = body.trim().split('\n\n').at(-1) ?? '';
    expect(last).toMatch(/^event: error$/m);
    expect(JSON.parse(/^data: (.*)$/m.exec(last)?.[1] ?? '')).toMatchObject({
      status: 502,
      code: 'MODEL_FAILED',
      detail: expect.stringContaining('Send it again'),
    });
  });

  it('is logged with what to do, and without the key and what was said', async () => {
    let log = '';
    const logger = createLogger('debug', { write: (line) => (log += line) });
    const echo: ChatAnswer = (response, { authorization, body }) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      const message = `${authorization} ${JSON.stringify(body)}`;
      response.end(JSON.stringify({ error: { message, code: 'context_length_exceeded' } }));
    };
    const chat = await ChatServer.start(echo);
    const server = { baseUrl: chat.base, apiKey: Secret.of(key), model: 'm', timeoutMs: 10_000 };
    const { open, say } = await startTestApp({ model: new OpenAIModel(server), logger });
    expectProblem(await say(await open(), 'A secret of mine, told once'), 502, 'MODEL_FAILED');
    expect(log).toContain('(400, context_length_exceeded)');
    expect(log).not.toContain(key);
    expect(log).not.toContain('A secret of mine');
    expect(log).not.toContain(chat.base);
  });
});

it('an answer that takes longer than a turn may is a 504, and a repeat under the same key completes it', async () => {
  const model = new GatedModel();
  const { open, say, clock, transcript } = await startTestApp({ model });
  const session = await open();
  const header = { 'idempotency-key': 'k-1' };
  const waiting = say(session, 'Is it in stock?', header);
  await model.nextQuestion();
  await clock.advance(300_000);
  const refused = await waiting;
  expectProblem(refused, 504, 'TURN_TIMEOUT');
  expect(refused.json().detail).toContain('under the same Idempotency-Key');
  // What to set is in the log.
  expect(refused.body).not.toMatch(/SESSION_|maxSeconds/);
  const repeated = say(session, 'Is it in stock?', header);
  (await model.nextQuestion()).answer('It is.');
  expect((await repeated).json()).toMatchObject({ message: 'It is.' });
  expect(await transcript(session)).toEqual([
    ['user', 'Is it in stock?'],
    ['assistant', 'It is.'],
  ]);
});

it('a model that does not keep its contract is a 502', async () => {
  const { open, say } = await startTestApp({ model: new ScriptedModel([]) });
  expectProblem(await say(await open(), 'Hello'), 502, 'MODEL_FAILED');
});
