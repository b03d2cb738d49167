import { expect, it } from 'vitest';
import { visitor } from './support/browser.ts';
import { Chat, soon } from './support/chat.ts';
import { pacedServer } from './support/paced-server.ts';

it('shows an answer while it is written', async () => {
  const { address, model } = await pacedServer();
  const chat = new Chat(await (await visitor(address)).open());
  await chat.say('How long does a refund take?');
  const answer = await model.nextAnswer();
  await chat.shows('user: How long does a refund take?', 'draft:');
  answer.say('It takes ');
  await chat.shows('user: How long does a refund take?', 'draft: It takes');
  answer.say('five days.');
  await chat.shows('user: How long does a refund take?', 'draft: It takes five days.');
  answer.end();
  await chat.shows('user: How long does a refund take?', 'assistant: It takes five days.');
});

it('keeps the end of a long answer in view, but not from somebody who reads further up', async () => {
  const { address, model } = await pacedServer();
  const viewport = { width: 375, height: 700 };
  const chat = new Chat(await (await visitor(address, { viewport })).open());
  const lines = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => `Line ${from + index}\n`).join('');
  /** How far above its end the log stands. */
  const above = () => chat.log.evaluate((log) => Math.round(Math.abs(log.scrollTop)));
  await chat.say('Tell me everything');
  const answer = await model.nextAnswer();
  // Drawn while it is short: an answer that is longer than the page at once is shown from its beginning.
  await chat.shows('user: Tell me everything', 'draft:');
  answer.say(lines(0, 60));
  await chat.shows('user: Tell me everything', `draft: ${lines(0, 60).trim()}`);
  expect(await above()).toBe(0);
  await chat.log.evaluate((log) => {
    log.scrollTop = -400;
  });
  answer.say(lines(60, 80));
  await chat.shows('user: Tell me everything', `draft: ${lines(0, 80).trim()}`);
  expect(await above()).toBeGreaterThanOrEqual(400);
  answer.end();
  await chat.shows('user: Tell me everything', `assistant: ${lines(0, 80).trim()}`);
  expect(await above()).toBeGreaterThanOrEqual(400);
  await chat.say('Thanks');
  await model.nextAnswer();
  await expect.poll(above, soon).toBe(0);
});

it('shows the answer to a message that is longer than the page, whatever tells of it first', async () => {
  const { address, model } = await pacedServer();
  const page = await (await visitor(address, { viewport: { width: 375, height: 700 } })).open();
  const chat = new Chat(page);
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  // The session's stream is ahead of the message's own reply.
  await page.route('**/messages', async (route) => {
    const response = await route.fetch();
    await released;
    await route.fulfill({ response });
  });
  const question = 'a long story '.repeat(100).trim();
  await chat.say(question);
  const answer = await model.nextAnswer();
  answer.say('I see.');
  answer.end();
  await chat.log.locator('[data-draft]', { hasText: 'I see.' }).waitFor();
  release();
  await chat.shows(`user: ${question}`, 'assistant: I see.');
  const shown = chat.log.locator('[data-role="assistant"]');
  expect(await shown.evaluate((it) => it.getBoundingClientRect().bottom)).toBeLessThan(700);
});

it('goes on with an answer after a reload in the middle of it', async () => {
  const { address, model } = await pacedServer();
  const chat = new Chat(await (await visitor(address)).open());
  await chat.say('Hello');
  const first = await model.nextAnswer();
  first.say('Hello to you.');
  first.end();
  await chat.shows('user: Hello', 'assistant: Hello to you.');
  const before = ['user: Hello', 'assistant: Hello to you.', 'user: How long does a refund take?'];

  await chat.say('How long does a refund take?');
  const answer = await model.nextAnswer();
  answer.say('It takes ');
  await chat.shows(...before, 'draft: It takes');
  await chat.page.reload();
  await chat.shows(...before, 'draft: It takes');
  answer.say('five ');
  await chat.shows(...before, 'draft: It takes five');
  await chat.page.reload();
  answer.say('days.');
  await chat.shows(...before, 'draft: It takes five days.');
  answer.end();
  await chat.shows(...before, 'assistant: It takes five days.');
  await chat.page.reload();
  await chat.shows(...before, 'assistant: It takes five days.');
});

it('shows two tabs of a conversation the same, live', async () => {
  const { address, model } = await pacedServer();
  const customer = await visitor(address);
  const one = new Chat(await customer.open());
  await one.say('Hello');
  const hello = await model.nextAnswer();
  hello.say('Hello to you.');
  hello.end();
  const before = ['user: Hello', 'assistant: Hello to you.'];
  await one.shows(...before);
  const other = new Chat(await customer.open());
  await other.shows(...before);

  await other.say('From the other tab');
  const answer = await model.nextAnswer();
  answer.say('An ');
  for (const tab of [one, other]) {
    await tab.shows(...before, 'user: From the other tab', 'draft: An');
  }
  answer.say('answer');
  answer.end();
  for (const tab of [one, other]) {
    await tab.shows(...before, 'user: From the other tab', 'assistant: An answer');
  }

  await one.button('New conversation').click();
  await expect.poll(() => other.lines(), soon).toEqual([]);
});

it('never runs what a message or an answer says', async () => {
  const { address, model } = await pacedServer();
  const chat = new Chat(await (await visitor(address)).open());
  const hostile = [
    '<img src="/nothing" onerror="document.title = \'run\'">',
    '<script>document.title = "run"</script>',
    '<a href="javascript:alert(1)">click</a><svg onload="alert(2)">',
    '[click](javascript:alert(3)) **bold** &lt;b&gt;',
  ].join('\n');
  await chat.say(hostile);
  const answer = await model.nextAnswer();
  for (const piece of hostile.match(/.{1,7}/gs) ?? []) answer.say(piece);
  await chat.shows(`user: ${hostile}`, `draft: ${hostile}`);
  answer.end();
  const lines = [`user: ${hostile}`, `assistant: ${hostile}`];
  await chat.shows(...lines);
  await chat.page.reload();
  await chat.shows(...lines);
  expect(await chat.log.locator('img, script, a, svg[onload], b').count()).toBe(0);
  expect(await chat.page.title()).toContain('Help');
});
