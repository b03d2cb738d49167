import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/** What the test waits for comes as soon as the machine has it; this is only against hangs. */
export const soon = { timeout: 60_000 };

/** The chat page, as a test reads and uses it. */
export class Chat {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  get log(): Locator {
    return this.page.locator('[role="log"]');
  }

  get input(): Locator {
    return this.page.locator('textarea[name="message"]');
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  async say(text: string): Promise<void> {
    await this.input.fill(text);
    await this.page.locator('form button[type="submit"]').click();
  }

  /** Sends and waits for the whole answer. */
  async ask(text: string): Promise<string> {
    const answers = this.log.locator('[data-role="assistant"]');
    const before = await answers.count();
    await this.say(text);
    await answers.nth(before).waitFor();
    return (await answers.nth(before).locator('.text').textContent()) ?? '';
  }

  /** The log, a line each: what was said by whom, and what is still being written as `draft`. */
  lines(): Promise<string[]> {
    return this.log.locator('[data-role], [data-draft]').evaluateAll((elements) =>
      elements.map((element) => {
        const who = element.getAttribute('data-role') ?? 'draft';
        return `${who}: ${element.querySelector('.text')?.textContent ?? ''}`.trim();
      }),
    );
  }

  /** Waits until the log is as said. */
  async shows(...lines: string[]): Promise<void> {
    await expect.poll(() => this.lines(), soon).toEqual(lines);
  }
}
