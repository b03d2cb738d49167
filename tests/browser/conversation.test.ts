import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { expectAccessible } from './support/axe.ts';
import { visitor } from './support/browser.ts';
import { Chat, soon } from './support/chat.ts';
import { Line } from './support/line.ts';
import { operatorKey, realServer } from './support/real-server.ts';

const questions = [
  'How long does standard delivery take?',
  'How many days do I have to return a jacket?',
  'How long does a refund take?',
  'How do I earn Fern Club points?',
  'How long is the warranty on a tent?',
];

it('holds a conversation of five messages, and shows it again after a reload', async () => {
  const { address } = await realServer();
  const chat = new Chat(await (await visitor(address)).open());
  const answers: string[] = [];
  for (const question of questions) answers.push(await chat.ask(question));
  expect(new Set(answers).size).toBe(5);
  const lines = questions.flatMap((question, index) => [
    `user: ${question}`,
    `assistant: ${answers[index]}`,
  ]);
  await chat.shows(...lines);
  const sources = await chat.log.locator('.sources').allTextContents();
  expect(sources.join()).toContain('Shipping and delivery');

  await chat.page.reload();
  await chat.shows(...lines);
  expect(await chat.log.locator('.sources').allTextContents()).toEqual(sources);
});

it('keeps what is being written through a reload, until it is sent', async () => {
  const { address } = await realServer();
  const chat = new Chat(await (await visitor(address)).open());
  await chat.input.fill('How long does\na refund take?');
  await chat.page.reload();
  await expect.poll(() => chat.input.inputValue(), soon).toBe('How long does\na refund take?');
  await chat.input.press('Enter');
  await chat.log.locator('[data-role="assistant"]').waitFor();
  await chat.page.reload();
  await chat.log.locator('[data-role="assistant"]').waitFor();
  expect(await chat.input.inputValue()).toBe('');
});

it('has an answer, or a person, for each question that it suggests', async () => {
  const { address } = await realServer();
  const chat = new Chat(await (await visitor(address)).open());
  const suggested = chat.log.locator('.welcome button');
  await suggested.first().waitFor();
  const texts = await suggested.allTextContents();
  expect(texts).toHaveLength(4);
  for (const text of texts) {
    await chat.log.getByRole('button', { name: text }).click();
    await chat.log.locator('.sources, [data-ticket]').first().waitFor();
    expect((await chat.lines())[0]).toBe(`user: ${text}`);
    await chat.button('New conversation').click();
  }
});

it('begins a new conversation with nothing of the old one, and ends one for good', async () => {
  const { address } = await realServer();
  const customer = await visitor(address);
  const chat = new Chat(await customer.open());
  await chat.ask('How long does a refund take?');
  await chat.button('New conversation').click();
  await chat.page.getByText('How can we help?').waitFor();
  await chat.shows();
  expect(await chat.button('End chat').count()).toBe(0);

  const answer = await chat.ask('How do I wash a down jacket?');
  const lines = ['user: How do I wash a down jacket?', `assistant: ${answer}`];
  await chat.page.reload();
  await chat.shows(...lines);

  await chat.button('End chat').click();
  await chat.button('Keep it').click();
  const dialog = chat.page.getByRole('dialog');
  await dialog.waitFor({ state: 'hidden' });
  await chat.shows(...lines);
  await chat.button('End chat').click();
  await dialog.getByRole('button', { name: 'End chat' }).click();
  await chat.page.getByText('You ended the conversation.').waitFor();
  await chat.shows();
  await chat.page.reload();
  await chat.page.getByText('How can we help?').waitFor();
  await chat.shows();
});

it('ends a conversation whose page is closed at once', async () => {
  const { address } = await realServer();
  const line = await Line.to(address);
  const customer = await visitor(line.address);
  const chat = new Chat(await customer.open());
  await chat.ask('How long does a refund take?');
  const id = await chat.page.evaluate<string>('localStorage["holdfast.session_id"]');
  const letGo = line.hold('DELETE');
  await chat.button('End chat').click();
  await chat.page.getByRole('dialog').getByRole('button', { name: 'End chat' }).click();
  await chat.button('Ending…').waitFor();
  for (const name of ['Ending…', 'New conversation']) {
    expect(await chat.button(name).isDisabled(), name).toBe(true);
  }
  await expectAccessible(chat.page, 'ending');
  await chat.page.close();
  // By then all is closed that does not outlast its page.
  await new Chat(await customer.open()).log.locator('[data-role="assistant"]').waitFor();
  letGo();
  const look = () =>
    fetch(`${address}/api/sessions/${id}`, { headers: { authorization: `Bearer ${operatorKey}` } });
  await expect.poll(async () => (await look()).status, soon).toBe(404);
});

it('shows nothing any more of a conversation that was ended while nobody looked', async () => {
  const { address } = await realServer();
  const chat = new Chat(await (await visitor(address)).open());
  await chat.ask('How long does a refund take?');
  await chat.page.evaluate(look('hidden'));
  const id = await chat.page.evaluate<string>('localStorage["holdfast.session_id"]');
  const ended = await fetch(`${address}/api/sessions/${id}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${operatorKey}` },
  });
  expect(ended.status).toBe(204);
  await chat.page.evaluate(look('visible'));
  await chat.page.getByText('Your earlier conversation has ended').waitFor();
  await chat.shows();
});

/** In the page: a browser without a window is never hidden. */
const look = (state: string) => `
  Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
`;

it('shows what articles say as text, whatever it is', async () => {
  const folder = temporaryFolder();
  const image = '<img src="/nothing" onerror="alert(1)">';
  writeFileSync(
    join(folder, 'llamas.md'),
    `# Llamas ${image}\n\n## Shearing ${image}\n\nA llama is shorn in spring ${image} <script>alert(2)</script>.\n`,
  );
  const { address } = await realServer({ KNOWLEDGE_DIR: folder });
  const chat = new Chat(await (await visitor(address)).open());
  const answer = await chat.ask('When is a llama shorn?');
  expect(answer).toContain('in spring');
  await chat.log.locator('.sources cite', { hasText: 'Llamas' }).waitFor();
  await chat.page.reload();
  await chat.shows('user: When is a llama shorn?', `assistant: ${answer}`);
  expect(await chat.log.locator('img, script').count()).toBe(0);
});

it('keeps marks stacked upon a letter out of what was said above', async () => {
  const { address } = await realServer();
  const chat = new Chat(
    await (await visitor(address, { viewport: { width: 375, height: 780 } })).open(),
  );
  await chat.ask('How long does a refund take?');
  await chat.ask(`e${'\u0301'.repeat(300)}`);
  // Without the round corners, which are not drawn alike each time.
  const above = chat.log.locator('[data-role="assistant"] .text').first();
  const shown = await above.screenshot();
  await chat.log
    .locator('[data-role="user"] .text')
    .last()
    .evaluate((text) => text.replaceChildren('e'));
  expect((await above.screenshot()).equals(shown)).toBe(true);
});

it('can be used by keyboard alone', async () => {
  const { address } = await realServer();
  const { page, ...chat } = await byKeyboard(address);
  const { focused, press, ring } = chat;
  expect(await focused(), 'the page begins where one writes').toBe('Your message');

  await page.keyboard.type('How long does');
  await press('Shift+Enter');
  await page.keyboard.type('a refund take?');
  expect(await page.locator('textarea').inputValue()).toBe('How long does\na refund take?');
  await press('Enter');
  await page.locator('[data-role="assistant"]').waitFor();
  expect(await page.locator('[data-role="user"] .text').textContent()).toBe(
    'How long does\na refund take?',
  );
  expect(await focused(), 'and one can write on').toBe('Your message');

  // Back to the top of the page, against the order in which it reads.
  const order: string[] = [];
  while (order.at(-1) !== 'Skip to your message' && order.length < 10) {
    await press('Shift+Tab');
    order.push(await focused());
  }
  expect(order).toEqual([
    'Conversation',
    'End chat',
    'New conversation',
    '0131 496 0142',
    'Skip to your message',
  ]);
  expect(await page.getByText('Skip to your message').boundingBox()).toMatchObject({ y: 8 });
  await press('Enter');
  expect(await focused()).toBe('Your message');
  for (let stop = 0; stop < 2; stop += 1) await press('Shift+Tab');
  expect(await focused()).toBe('End chat');
  expect(await ring()).toBe('solid');

  await press('Enter');
  await page.getByRole('dialog').waitFor();
  expect(await focused()).toBe('Keep it');
  await press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  expect(await focused(), 'the focus is where it was').toBe('End chat');
  await press('Space');
  await press('Tab');
  await press('Enter');
  await page.getByText('You ended the conversation.').waitFor();
  expect(await focused()).toBe('Your message');
});

it('sends nothing with the key that ends a composition, as Safari tells of it', async () => {
  const { address } = await realServer();
  const chat = new Chat(await (await visitor(address)).open());
  await chat.input.fill('へんぴん');
  const composed = { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true };
  await chat.input.dispatchEvent('keydown', composed);
  expect(await chat.input.inputValue()).toBe('へんぴん');
  await chat.input.press('Enter');
  await expect.poll(() => chat.input.inputValue(), soon).toBe('');
  expect((await chat.lines())[0]).toBe('user: へんぴん');
});

it('takes what nobody can see for nothing written', async () => {
  const { address } = await realServer();
  const chat = new Chat(await (await visitor(address)).open());
  await chat.input.fill('\u3164\u2800');
  await chat.input.press('Enter');
  await chat.input.press('End');
  expect(await chat.input.inputValue()).toBe('\u3164\u2800');
  expect(await chat.lines()).toEqual([]);
});

it('tells a screen reader whole answers, and of waiting for them once', async () => {
  const { address } = await realServer();
  const page = await (await visitor(address)).open();
  const chat = new Chat(page);
  await page.evaluate(recordSpoken);
  const answer = await chat.ask('How long does a refund take?');
  const spoken = () => page.evaluate<string[]>('spoken');
  await expect.poll(spoken, soon).toHaveLength(2);
  const [mine, theirs] = await spoken();
  expect(mine).toContain('You: How long does a refund take?');
  expect(theirs).toContain(answer);
  expect(theirs?.startsWith('Assistant')).toBe(true);
});

/** In the page: keeps what is added to the log where that is live. */
const recordSpoken = `
  var spoken = [];
  const isQuiet = (node) => (node.closest ? node : node.parentElement).closest('[aria-live="off"]') !== null;
  new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      if (isQuiet(target)) continue;
      if (type === 'characterData') spoken.push(target.data);
      for (const node of addedNodes) if (!isQuiet(node)) spoken.push(node.textContent);
    }
  }).observe(document.querySelector('[role="log"] .column'), {
    childList: true, subtree: true, characterData: true,
  });
`;

async function byKeyboard(address: string) {
  const page = await (await visitor(address, { viewport: { width: 1440, height: 900 } })).open();
  await page.locator('textarea').waitFor();
  return {
    page,
    press: (key: string) => page.keyboard.press(key),
    /** By what a screen reader calls it. */
    focused: () =>
      page.locator(':focus').evaluate((element) => {
        const label = element.labels?.[0]?.textContent;
        return (element.getAttribute('aria-label') ?? label ?? element.textContent ?? '').trim();
      }),
    /** How it is drawn that it has the focus. */
    ring: () =>
      page
        .locator(':focus')
        .evaluate(
          (element) => element.ownerDocument.defaultView.getComputedStyle(element).outlineStyle,
        ),
  };
}
