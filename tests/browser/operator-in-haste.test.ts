import type { Page, Route } from 'playwright-core';
import { expect, it } from 'vitest';
import { expectAccessible } from './support/axe.ts';
import { type Visitor, visitor } from './support/browser.ts';
import { Chat, soon } from './support/chat.ts';
import { operatorKey, realServer } from './support/real-server.ts';

const MESSAGES = '**/operator-messages';
const STATUS = '**/status';
/** A look at one session. */
const LOOK = /\/api\/sessions\/[^/?]+$/;

const said = (page: Page) => page.locator('main .line .text').allTextContents();
const box = (page: Page) => page.getByLabel('Your message to the customer');
const row = (page: Page, id: string) => page.locator(`.row[data-session="${id}"]`);

async function signIn(page: Page, key = operatorKey): Promise<void> {
  await page.getByLabel('Operator key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** A console with so many sessions, the first of which its operator has taken over. */
async function deskWith(sessions: number): Promise<{ desk: Page; ids: string[] }> {
  const { address } = await realServer();
  const ids: string[] = [];
  for (let session = 0; session < sessions; session += 1) {
    const chat = new Chat(await (await visitor(address)).open());
    await chat.ask('How long does a refund take?');
    ids.push((await chat.page.evaluate<string>('localStorage["holdfast.session_id"]')) as string);
  }
  const operator: Visitor = await visitor(address);
  const desk = await operator.open('/console');
  await signIn(desk);
  await row(desk, ids[0] ?? '').click();
  await desk.getByRole('button', { name: 'Take over' }).click();
  await box(desk).waitFor();
  return { desk, ids };
}

/** Keeps what a route does back until it is let go. */
function held(work: (route: Route) => Promise<void>) {
  let letGo = () => {};
  const gone = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const handler = async (route: Route) => {
    arrive();
    await gone;
    // The page may have given it up.
    await work(route).catch(() => {});
  };
  return { handler, arrived, letGo: () => letGo() };
}

const refusal = (status: number, code: string, detail: string) => ({
  status,
  contentType: 'application/problem+json',
  body: JSON.stringify({ status, code, detail }),
});

it('sends a message to the session that it was written for, whatever its operator opens next', async () => {
  const { desk, ids } = await deskWith(2);
  const [first = '', second = ''] = ids;
  const sending = held((route) => route.continue());
  await desk.route(MESSAGES, sending.handler);
  await box(desk).fill('Kari here.');
  await box(desk).press('Enter');
  await sending.arrived;
  await row(desk, second).click();
  await expect.poll(() => said(desk), soon).toHaveLength(2);
  sending.letGo();
  await row(desk, first).click();
  await expect.poll(() => said(desk), soon).toContain('Kari here.');
  await expect.poll(() => box(desk).inputValue(), soon).toBe('');
  expect(await desk.getByRole('alert').count()).toBe(0);
});

it('keeps a message that was not taken with its session, and says so wherever its operator is', async () => {
  const { desk, ids } = await deskWith(2);
  const [first = '', second = ''] = ids;
  const keys: (string | undefined)[] = [];
  desk.on('request', (request) => {
    if (request.method() === 'POST') keys.push(request.headers()['idempotency-key']);
  });
  const problem = 'The session store did not answer.';
  const failing = held((route) => route.fulfill(refusal(503, 'STORE_UNAVAILABLE', problem)));
  await desk.route(MESSAGES, failing.handler);
  await box(desk).fill('Kari here.');
  await box(desk).press('Enter');
  await failing.arrived;
  await row(desk, second).click();
  await expect.poll(() => said(desk), soon).toHaveLength(2);
  failing.letGo();
  const told = desk.getByRole('alert').filter({ hasText: 'may not have gone through' });
  await told.getByText(problem).waitFor();
  await expectAccessible(desk, 'a message that failed elsewhere');

  const looking = held((route) => route.continue());
  await desk.route(LOOK, looking.handler);
  await told.getByRole('link').click();
  await looking.arrived;
  await desk.getByRole('heading', { name: 'Loading…' }).waitFor();
  looking.letGo();
  await desk.unroute(LOOK);
  await box(desk).waitFor();
  expect(new URL(desk.url()).hash).toBe(`#${first}`);
  expect(await box(desk).inputValue()).toBe('Kari here.');
  expect(await desk.getByRole('alert').allTextContents()).toEqual([problem]);
  await desk.unroute(MESSAGES);
  await box(desk).press('Enter');
  await expect.poll(() => said(desk), soon).toContain('Kari here.');
  expect(keys).toHaveLength(2);
  expect(new Set(keys).size, 'it may have arrived the first time').toBe(1);
});

it('puts the focus on what is said of a session that cannot be shown', async () => {
  const { desk, ids } = await deskWith(1);
  const [first = ''] = ids;
  const problem = 'The session store did not answer.';
  const giving = held((route) => route.fulfill(refusal(503, 'STORE_UNAVAILABLE', problem)));
  await desk.route(STATUS, giving.handler);
  await desk.getByRole('button', { name: 'Give back' }).click();
  await giving.arrived;
  await desk.goBack();
  await row(desk, first).waitFor();
  await desk.route(LOOK, (route) => route.fulfill(refusal(503, 'STORE_UNAVAILABLE', problem)));
  giving.letGo();
  await desk.getByRole('alert').getByRole('link').press('Enter');
  await desk.locator('h2:focus', { hasText: 'Not shown' }).waitFor();
});

it('takes a message out of its box before it is there twice', async () => {
  const { desk } = await deskWith(1);
  const looking = held((route) => route.continue());
  await desk.route(MESSAGES, async (route) => {
    await desk.route(LOOK, looking.handler);
    await route.continue();
  });
  await box(desk).fill('Kari here.');
  await box(desk).press('Enter');
  await looking.arrived;
  await expect.poll(() => box(desk).inputValue(), soon).toBe('');
  looking.letGo();
});

it('does not lose what is being written when the key is refused', async () => {
  const { desk } = await deskWith(1);
  await desk.route(MESSAGES, (route) => route.fulfill(refusal(403, 'OPERATOR_ONLY', 'no')));
  await box(desk).fill('A long answer.');
  await box(desk).press('Enter');
  await desk.getByText('The server no longer takes your key.').waitFor();
  await desk.unroute(MESSAGES);
  await signIn(desk);
  await box(desk).waitFor();
  expect(await box(desk).inputValue()).toBe('A long answer.');

  await desk.getByRole('button', { name: 'Sign out' }).click();
  await signIn(desk);
  await box(desk).waitFor();
  expect(await box(desk).inputValue(), 'whose operator has signed out').toBe('');
});

it('says that the server is away after a reload, and keeps the key and what was being written', async () => {
  const { desk } = await deskWith(1);
  await box(desk).fill('A long answer.');
  await desk.route('**/api/**', (route) => route.abort());
  await desk.reload();
  const told = desk.locator('.list [role="alert"]');
  await told.waitFor();
  expect(await told.textContent()).toBe(
    'The server cannot be reached. It is tried again every few seconds.',
  );
  expect(await desk.getByLabel('Operator key').count()).toBe(0);
  await expectAccessible(desk, 'the server is away');
  await desk.unroute('**/api/**');
  await box(desk).waitFor();
  expect(await box(desk).inputValue()).toBe('A long answer.');
  await expect.poll(() => desk.getByRole('alert').count(), soon).toBe(0);
});

it('tells who has signed out that their message did not arrive', async () => {
  const { desk } = await deskWith(1);
  const sending = held((route) => route.abort());
  await desk.route(MESSAGES, sending.handler);
  await box(desk).fill('Kari here.');
  await box(desk).press('Enter');
  await sending.arrived;
  await desk.getByRole('button', { name: 'Sign out' }).click();
  await desk.getByLabel('Operator key').waitFor();
  expect(await desk.locator('.door .problem').count()).toBe(0);
  sending.letGo();
  await desk.getByText('What you did last before you signed out').waitFor();
  await expectAccessible(desk, 'something was not done');
  await signIn(desk);
  await expect
    .poll(() => desk.getByRole('alert').allTextContents(), soon)
    .toEqual(['The server could not be reached.']);
});

it('says of a message that is much too long what is wrong with it', async () => {
  const { desk } = await deskWith(1);
  await box(desk).fill('A long answer. '.repeat(5_000));
  await box(desk).press('Enter');
  const told = desk.getByRole('alert');
  await told.waitFor();
  expect(await told.textContent()).toMatch(/16 KB/);
});

it('shows a session as it was left by a click, whatever was asked before that', async () => {
  const { desk } = await deskWith(1);
  await desk.getByRole('button', { name: 'Give back' }).click();
  await desk.getByRole('button', { name: 'Take over' }).waitFor();
  await desk.evaluate(recordStatus);
  let asked = 0;
  const late = held(async () => {});
  const next = held((route) => route.continue());
  await desk.route(LOOK, async (route) => {
    asked += 1;
    if (asked > 1) return next.handler(route);
    const response = await route.fetch();
    await late.handler(route);
    await route.fulfill({ response }).catch(() => {});
  });
  await late.arrived;
  await desk.getByRole('button', { name: 'Take over' }).click();
  await desk.getByRole('button', { name: 'Give back' }).waitFor();
  late.letGo();
  await next.arrived;
  next.letGo();
  await desk.getByRole('button', { name: 'Close', exact: true }).click();
  await desk.getByRole('button', { name: 'Reopen' }).waitFor();
  expect(await desk.evaluate('statuses')).toEqual(['Active', 'Handed over', 'Closed']);
});

/** In the page: the statuses that are shown, one after the other. */
const recordStatus = `
  const shown = () => document.querySelector('.pane-title .pill')?.textContent;
  var statuses = [shown()];
  new MutationObserver(() => {
    if (shown() !== statuses.at(-1)) statuses.push(shown());
  }).observe(document.querySelector('.pane'), { childList: true, subtree: true, characterData: true });
`;

it('calls only another ticket one, and not each change that came first', async () => {
  const { desk } = await deskWith(1);
  const conflict = refusal(409, 'VERSION_CONFLICT', 'The session is at version 7, not at 6.');
  await desk.route(STATUS, (route) => route.fulfill(conflict));
  await desk.getByRole('button', { name: 'Give back' }).click();
  const told = desk.getByRole('alert');
  await told.waitFor();
  expect(await told.textContent()).not.toContain('ticket');
});

it('says of a wrong key that it is wrong, also where a session is opened meanwhile', async () => {
  const { address } = await realServer();
  const desk = await (await visitor(address)).open('/console');
  const listing = held((route) => route.continue());
  await desk.route(/\/api\/sessions\?/, listing.handler);
  await signIn(desk, 'not the key');
  await listing.arrived;
  // By the time of the second answer the page would have had one of its own.
  await desk.evaluate(`new Promise((resolve) => {
    addEventListener('hashchange', () => fetch('/api/sessions/s-1').then(resolve));
    location.hash = 's-1';
  })`);
  listing.letGo();
  await desk.getByText('This is not the operator key of this server.').waitFor();
});
