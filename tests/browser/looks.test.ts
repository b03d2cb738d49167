import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../helpers/repository.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
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

/** The placeholders of which a part cannot be read: each is set as a text of its own in its field's room. */
function cutPlaceholders(page: Page): Promise<(string | null)[]> {
  return page.locator('textarea:placeholder-shown').evaluateAll((fields) =>
    fields
      .filter((field) => {
        const view = field.ownerDocument.defaultView;
        if (view === null) return true;
        const style = view.getComputedStyle(field);
        const sum = (...lengths: string[]) =>
          lengths.reduce((total, length) => total + Number.parseFloat(length), 0);
        const width = field.clientWidth - sum(style.paddingLeft, style.paddingRight);
        const height = field.clientHeight - sum(style.paddingTop, style.paddingBottom);
        const text = field.ownerDocument.createElement('div');
        text.textContent = field.getAttribute('placeholder');
        Object.assign(text.style, {
          position: 'absolute',
          width: `${width}px`,
          font: style.font,
          letterSpacing: style.letterSpacing,
          whiteSpace: view.getComputedStyle(field, '::placeholder').whiteSpace,
        });
        field.ownerDocument.body.append(text);
        const isCut = text.scrollWidth > width + 1 || text.scrollHeight > height + 1;
        text.remove();
        return isCut;
      })
      .map((field) => field.getAttribute('placeholder')),
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
  expect(await cutPlaceholders(page), `${state}: what is to be written can be read`).toEqual([]);
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
    // A line of its own would take room from the conversation.
    const brand = await page.getByRole('heading', { name: 'Fjell & Fern Console' }).boundingBox();
    const leave = await page.getByRole('button', { name: 'Sign out' }).boundingBox();
    expect(leave?.y).toBeLessThan((brand?.y ?? 0) + (brand?.height ?? 0));
    await page.locator('.row').click();
    await page.locator('.line').first().waitFor();
    await look(page, 'console-session', name);
    await page.getByRole('button', { name: 'Take over' }).click();
    await page.locator('textarea').waitFor();
    await look(page, 'console-taken-over', name);
  });
});

/** The whole of a page as it would come on paper, as wide as its window. */
async function print(page: Page, name: string): Promise<void> {
  await page.emulateMedia({ media: 'print' });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

/** What each element is painted with, and whether all of it is on the page. */
function printed(page: Page, selector: string) {
  return page.locator(selector).evaluateAll((elements) =>
    elements.map((element) => {
      const { top, bottom } = element.getBoundingClientRect();
      const style = element.ownerDocument.defaultView?.getComputedStyle(element);
      const height = element.ownerDocument.documentElement.scrollHeight;
      return {
        isOnIt: top >= 0 && bottom <= height,
        ground: style?.backgroundColor,
        ink: style?.color,
      };
    }),
  );
}

const onPaper = { isOnIt: true, ground: 'rgba(0, 0, 0, 0)', ink: 'rgb(26, 41, 37)' };

/** As soon as there is a root to the page. */
const enlarge = `{
  const enlarge = () => {
    document.documentElement?.style.setProperty('font-size', '32px');
    return document.documentElement !== null;
  };
  if (!enlarge()) {
    new MutationObserver((_, observer) => {
      if (enlarge()) observer.disconnect();
    }).observe(document, { childList: true });
  }
}`;

describe.each([1280, 375])('with text of twice the size, %i px wide', (width) => {
  async function open(address: string, path = '/'): Promise<Page> {
    const page = await (await visitor(address, { viewport: { width, height: 800 } })).open(path);
    // As by the browser's settings: from the beginning.
    await page.addInitScript({ content: enlarge });
    await page.reload();
    return page;
  }

  it('the pages fit, and nothing lies upon anything else', async () => {
    const { address } = await realServer();
    const page = await open(address);
    const chat = new Chat(page);
    const question = page.getByText('How can we help?');
    await question.waitFor();
    // It begins with its beginning, though not all of it fits.
    const heading = await question.boundingBox();
    const bar = await page.locator('.side').boundingBox();
    expect(heading?.y).toBeGreaterThan((bar?.y ?? 0) + (bar?.height ?? 0));
    await look(page, 'large-chat-empty', String(width));
    await chat.ask('How long does standard delivery take?');
    await chat.ask('I want to talk to a person, please.');
    await page.locator('[data-ticket]').waitFor();
    await look(page, 'large-chat', String(width));

    const desk = await open(address, '/console');
    await look(desk, 'large-door', String(width));
    await desk.getByLabel('Operator key').fill(operatorKey);
    await desk.keyboard.press('Enter');
    await desk.locator('.row').first().waitFor();
    await look(desk, 'large-list', String(width));
    await desk.locator('.row').click();
    await desk.locator('.line').first().waitFor();
    await look(desk, 'large-session', String(width));
    const parts = await desk
      .locator('.pane > *')
      .evaluateAll((elements) =>
        elements
          .map((element) => element.getBoundingClientRect())
          .map(({ top, bottom }) => ({ top: Math.round(top), bottom: Math.round(bottom) })),
      );
    for (const [index, { top }] of parts.entries()) {
      expect(top).toBeGreaterThanOrEqual(parts[index - 1]?.bottom ?? 0);
    }
    await desk.getByRole('button', { name: 'Take over' }).click();
    await desk.locator('textarea').waitFor();
    await look(desk, 'large-taken-over', String(width));
  });
});

it('names of articles that have no end stay in their answer', async () => {
  const knowledge = temporaryFolder();
  writeFileSync(
    join(knowledge, 'long.md'),
    `# ${'Donaudampfschifffahrt'.repeat(12)}\n\n## Refunds\n\nA refund takes five working days.\n`,
  );
  const { address } = await realServer({ KNOWLEDGE_DIR: knowledge });
  for (const width of [375, 1280]) {
    const page = await (await visitor(address, { viewport: { width, height: 800 } })).open();
    await new Chat(page).ask('How long does a refund take?');
    const answer = page.locator('[data-role="assistant"]');
    await answer.locator('cite').waitFor();
    const spill = await answer.evaluate((bubble) => bubble.scrollWidth - bubble.clientWidth);
    expect(spill, `${width} px wide`).toBe(0);
    const log = page.locator('.log');
    expect(await log.evaluate((at) => at.scrollWidth - at.clientWidth)).toBe(0);
  }
});

it('on paper there is all of a conversation, in ink', async () => {
  const { address } = await realServer();
  const options = { viewport: { width: 800, height: 500 }, colorScheme: 'dark' } as const;
  const page = await (await visitor(address, options)).open();
  const chat = new Chat(page);
  await chat.ask('How long does standard delivery take?');
  await chat.ask('How do I return a jacket?');
  await chat.ask('I want to talk to a person, please.');
  await print(page, 'print-chat');
  expect(await printed(page, '.bubble')).toEqual(Array(6).fill(onPaper));
  expect(await page.locator('.composer, .actions button').evaluateAll(shown)).toEqual([]);

  const desk = await (await visitor(address, options)).open('/console');
  await desk.getByLabel('Operator key').fill(operatorKey);
  await desk.keyboard.press('Enter');
  await desk.locator('.row').click();
  await desk.locator('.line').first().waitFor();
  await print(desk, 'print-session');
  expect(await printed(desk, '.line')).toEqual(Array(6).fill(onPaper));
  expect(await desk.locator('.list, .pane-actions button').evaluateAll(shown)).toEqual([]);
});

const shown = (elements: readonly { checkVisibility(): boolean; outerHTML: string }[]) =>
  elements.filter((element) => element.checkVisibility()).map(({ outerHTML }) => outerHTML);

it('forced colours show what is chosen', async () => {
  const { address } = await realServer();
  for (const text of ['How long does a refund take?', 'How do I return a jacket?']) {
    await new Chat(await (await visitor(address)).open()).ask(text);
  }
  const desk = await (await visitor(address, { forcedColors: 'active' })).open('/console');
  await desk.getByLabel('Operator key').fill(operatorKey);
  await desk.keyboard.press('Enter');
  await desk.locator('.row').first().click();
  await desk.locator('.line').first().waitFor();
  const looks = (selector: string) =>
    desk.locator(selector).evaluateAll((elements) =>
      elements.map((element) => {
        const style = element.ownerDocument.defaultView?.getComputedStyle(element);
        return `${style?.outlineStyle} ${style?.borderLeftWidth}`; // grounds are not painted
      }),
    );
  const [chosen, other] = await looks('.row');
  expect(chosen).not.toBe(other);
  const [pressed, ...rest] = await looks('.filters button');
  expect(rest).not.toContain(pressed);
  await desk.screenshot({ path: join(folder, 'forced-session.png') });
});
