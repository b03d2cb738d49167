import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { startRedis } from '../servers/redis-server.ts';
import { expectAccessible } from './support/axe.ts';
import { visitor } from './support/browser.ts';
import { Chat, soon } from './support/chat.ts';
import { Line } from './support/line.ts';
import { pacedServer } from './support/paced-server.ts';
import { realServer } from './support/real-server.ts';

const question = 'How long does a refund take?';

/** The idempotency keys of the messages that the page sends, as it sends them. */
function keysOf(page: Page): string[] {
  const keys: string[] = [];
  page.on('request', (request) => {
    const key = request.headers()['idempotency-key'];
    if (key !== undefined) keys.push(key);
  });
  return keys;
}

it('resumes an answer whose connection breaks in the middle of it', async () => {
  const { address, model } = await pacedServer();
  const line = await Line.to(address);
  const page = await (await visitor(line.address)).open();
  const chat = new Chat(page);
  const keys = keysOf(page);
  await chat.say(question);
  const answer = await model.nextAnswer();
  answer.say('It takes ');
  await chat.shows(`user: ${question}`, 'draft: It takes');
  line.breakConnections();
  answer.say('five ');
  await chat.shows(`user: ${question}`, 'draft: It takes five');
  answer.say('days.');
  answer.end();
  await chat.shows(`user: ${question}`, 'assistant: It takes five days.');
  expect(keys).toHaveLength(1);
});

it('keeps what came of an answer while the server is away, and retries under the same key', async () => {
  const { address, model } = await pacedServer();
  const line = await Line.to(address);
  const page = await (await visitor(line.address)).open();
  const chat = new Chat(page);
  const keys = keysOf(page);
  await chat.say(question);
  const answer = await model.nextAnswer();
  answer.say('It takes ');
  await chat.shows(`user: ${question}`, 'draft: It takes');
  line.cut();
  await chat.button('Retry').waitFor();
  await chat.shows(`user: ${question}`, 'draft: It takes');
  await chat.button('Retry').click();
  await expect.poll(() => keys.length, soon).toBe(2);
  await chat.button('Retry').waitFor();
  line.mend();
  await chat.button('Retry').click();
  answer.say('five days.');
  answer.end();
  await chat.shows(`user: ${question}`, 'assistant: It takes five days.');
  expect(await chat.button('Retry').count()).toBe(0);
  expect(keys).toHaveLength(3);
  expect(new Set(keys).size).toBe(1);
  await page.reload();
  await chat.shows(`user: ${question}`, 'assistant: It takes five days.');
});

it('says after a reload that it loads, and that it cannot, and shows all once it can', async () => {
  const { address } = await realServer();
  const line = await Line.to(address);
  const page = await (await visitor(line.address)).open();
  const chat = new Chat(page);
  const answer = await chat.ask(question);
  const letGo = line.hold('GET /api');
  await page.reload();
  await page.getByText('Loading your conversation…').waitFor();
  line.cut();
  letGo();
  await page.getByText('Your conversation cannot be loaded just now.').waitFor();
  await expectAccessible(page, 'the server is away');
  line.mend();
  await chat.shows(`user: ${question}`, `assistant: ${answer}`);
  expect(await page.locator('.notice').count()).toBe(0);
});

it('delivers a message once that was written while the server was down', async () => {
  await using redis = await startRedis();
  const env = { SESSION_STORE_TYPE: 'redis', REDIS_URL: redis.url };
  const server = await realServer(env);
  const page = await (await visitor(server.address)).open();
  const chat = new Chat(page);
  const keys = keysOf(page);
  const hello = await chat.ask('How long does standard delivery take?');
  const before = ['user: How long does standard delivery take?', `assistant: ${hello}`];
  await server.stop();

  await chat.say(question);
  await chat.button('Retry').waitFor();
  await chat.button('Retry').click();
  await expect.poll(() => keys.length, soon).toBe(3);
  await chat.button('Retry').waitFor();
  await chat.shows(...before, `user: ${question}`);

  await server.start();
  await chat.button('Retry').click();
  const answered = expect.stringMatching(/^assistant: .+refund/i);
  await expect.poll(() => chat.lines(), soon).toEqual([...before, `user: ${question}`, answered]);
  const lines = await chat.lines();
  expect(new Set(keys.slice(1)).size).toBe(1);
  await page.reload();
  await chat.shows(...lines);
});

it('offers a message again that was cut off by a reload', async () => {
  const { address, model } = await pacedServer();
  const line = await Line.to(address);
  const page = await (await visitor(line.address)).open();
  const chat = new Chat(page);
  const keys = keysOf(page);
  await chat.say('Hello');
  const hello = await model.nextAnswer();
  hello.say('Hello to you.');
  hello.end();
  await chat.shows('user: Hello', 'assistant: Hello to you.');
  line.cut();
  await chat.say(question);
  await chat.button('Retry').waitFor();
  line.mend();
  await page.reload();
  await chat.shows('user: Hello', 'assistant: Hello to you.', `user: ${question}`);
  await chat.button('Retry').click();
  const answer = await model.nextAnswer();
  answer.say('Five days.');
  answer.end();
  const exchange = [`user: ${question}`, 'assistant: Five days.'];
  await chat.shows('user: Hello', 'assistant: Hello to you.', ...exchange);
  expect(keys[2]).toBe(keys[1]);
});
