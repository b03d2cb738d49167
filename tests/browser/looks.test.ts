import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../helpers/repository.ts';
import { expectAccessible } from './support/axe.ts';
import { visitor } from './support/browser.ts';
import { Chat } from './support/chat.ts';
import { Line } from './support/line.ts';
import { operatorKey, realServer } from './support/real-server.ts';

/** For people to look at. */
const folder = join(repositoryRoot, '.cache', 'screenshots');
mkdirSync(folder, { recursive: true });

const screens = [
  { width: 375, height: 780, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  // As narrow as text must be readable without scrolling sideways (WCAG 1.4.10).
  { width: 320, height: 568, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  { width: 1440, height: 900, hasTouch: false, isMobile: false, deviceScaleFactor: 1 },
];
const kinds = screens.flatMap(({ width, height, ...screen }) =>
  (['light', 'dark'] as const).map((colorScheme) => ({
    name: `${width}-${colorScheme}`,
    options: { ...screen, viewport: { width, height }, colorScheme },
  })),
);

/** The ids of tickets and the short labels that are not on one line. */
function brokenLabels(page: Page): Promise<(string | null)[]> {
  return page.locator('.ticket-id, .on-night').evaluateAll((labels) =>
    labels
      .flatMap((label) => [...label.childNodes].filter(({ nodeType }) => nodeType === 3))
      .filter((text) => {
        const range = text.ownerDocument?.createRange();
        range?.selectNode(text);
        // One rectangle a line.
        return range !== undefined && range.getClientRects().length > 1;
      })
      .map(({ textContent }) => textContent),
  );
}

/** What a page must keep to in each of its states, and a picture of it. */
async function look(page: Page, state: string, name: string): Promise<void> {
  await page.screenshot({ path: join(folder, `${state}-${name}.png`), animations: 'disabled' });
  const wide = await page.locator('html').evaluate((root) => root.scrollWidth - root.clientWidth);
  const small = await page.locator('button, textarea, input, .row').evaluateAll((controls) =>
    controls
      .filter((control) => control.checkVisibility())
      .map((control) => ({ box: control.getBoundingClientRect(), html: control.outerHTML }))
      .filter(({ box }) => box.width < 44 || box.height < 44)
      .map(({ html }) => html),
  );
  const broken = await brokenLabels(page);
  expect(broken, `${state}: ids of tickets and short labels stay on one line`).toEqual([]);
  expect(wide, `${state}: it fits the screen's width`).toBeLessThanOrEqual(0);
  expect(small, `${state}: what is pressed is large enough for a finger`).toEqual([]);
  await expectAccessible(page, `${state} ${name}`);
}

describe.each(kinds)('at $name', ({ name, options }) => {
  it('the chat is accessible and fits, whatever it shows', async () => {
    const line = await Line.to((await realServer()).address);
    const page = await (await visitor(line.address, options)).open();
    const chat = new Chat(page);
    await page.getByText('How can we help?').waitFor();
    await look(page, 'chat-empty', name);
    await chat.ask('How long does standard delivery take?');
    await chat.ask(`${'Donaudampfschifffahrtsgesellschaft'.repeat(6)} and a refund?`);
    await look(page, 'chat-conversation', name);
    await chat.ask('I want to talk to a person, please.');
    await page.locator('[data-ticket]').waitFor();
    await look(page, 'chat-passed-on', name);
    // Where a line ends depends on the width: among these, one has its end within the id.
    for (let width = 300; width < 400; width += 4) {
      await page.setViewportSize({ ...options.viewport, width });
      expect(await brokenLabels(page), `${width} px wide`).toEqual([]);
    }
    await page.setViewportSize(options.viewport);
    line.cut();
    await chat.say('Are you there?');
    await chat.button('Retry').waitFor();
    await look(page, 'chat-failed', name);
    line.mend();
    await chat.button('End chat').click();
    await page.getByRole('dialog').waitFor();
    await look(page, 'chat-end', name);
  });

  it('the console is accessible and fits, whatever it shows', async () => {
    const { address } = await realServer();
    const chat = new Chat(await (await visitor(address)).open());
    await chat.ask('My email is kari.nordmann.with.a.long.name@example.org');
    await chat.ask('How long does standard delivery take?');
    await chat.ask('I want to talk to a person, please.');
    const page = await (await visitor(address, options)).open('/console');
    await look(page, 'console-door', name);
    await page.getByLabel('Operator key').fill(operatorKey);
    await page.keyboard.press('Enter');
    await page.locator('.row').first().waitFor();
    await look(page, 'console-list', name);
    await page.locator('.row').click();
    await page.locator('.line').first().waitFor();
    await look(page, 'console-session', name);
    await page.getByRole('button', { name: 'Take over' }).click();
    await page.locator('textarea').waitFor();
    await look(page, 'console-taken-over', name);
  });
});
