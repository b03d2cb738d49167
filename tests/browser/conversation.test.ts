import { chromium, type Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { addressOf, npmStart } from '../helpers/npm-start.ts';
import { repositoryRoot } from '../helpers/repository.ts';

const questions = [
  'How long does standard delivery take?',
  'How many days do I have to return a jacket?',
  'How long does a refund take?',
  'How do I earn Fern Club points?',
  'How long is the warranty on a tent?',
];

async function openPage(address: string): Promise<Page> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(100_000);
  await page.goto(address);
  return page;
}

/** What the log shows, once it shows `count` messages: each one's role and text. */
async function shownMessages(page: Page, count: number) {
  const messages = page.locator('[role="log"] [data-role]');
  await messages.nth(count - 1).waitFor();
  return messages.evaluateAll((elements) =>
    elements.map((element) => ({
      role: element.getAttribute('data-role'),
      text: element.textContent ?? '',
    })),
  );
}

it('holds a conversation of five messages, and shows it again after a reload', async () => {
  const page = await openPage(await addressOf(npmStart(repositoryRoot)));
  const errors: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  page.on('console', (line) => line.type() === 'error' && errors.push(line.text()));

  for (const [index, question] of questions.entries()) {
    await page.locator('textarea[name="message"]').fill(question);
    await page.locator('form button[type="submit"]').click();
    await page.locator('[role="log"] [data-role="assistant"]').nth(index).waitFor();
  }

  const shown = await shownMessages(page, 10);
  expect(shown.map(({ role }) => role)).toEqual(questions.flatMap(() => ['user', 'assistant']));
  questions.forEach((question, index) => {
    expect(shown[2 * index]?.text).toContain(question);
  });
  const answers = shown.filter(({ role }) => role === 'assistant').map(({ text }) => text);
  expect(new Set(answers).size).toBe(5);

  await page.reload();
  const kept = await shownMessages(page, 10);
  expect(kept.map(({ role }) => role)).toEqual(shown.map(({ role }) => role));
  kept.forEach(({ text }, index) => {
    // A fresh answer may show more than its text, such as its sources.
    expect(text).not.toBe('');
    expect(shown[index]?.text).toContain(text);
  });
  expect(errors).toEqual([]);
});
