import { generateKey } from 'holdfast/encryption';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { redisForTests } from '../servers/redis-for-tests.ts';
import { expectAccessible } from './support/axe.ts';
import { visitor } from './support/browser.ts';
import { Chat, soon } from './support/chat.ts';
import { operatorKey, realServer } from './support/real-server.ts';

const hostile = '<img src="/nothing" onerror="alert(1)"> my tent <b>broke</b>';

async function signIn(page: Page, key: string): Promise<void> {
  await page.getByLabel('Operator key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

const titles = (page: Page) => page.locator('.row-title').allTextContents();
const said = (page: Page) => page.locator('main .line .text').allTextContents();

it('passes a customer on to a person, who answers them', async () => {
  const { address } = await realServer();
  const chat = new Chat(await (await visitor(address)).open());
  await chat.ask(hostile);
  await chat.ask('My email is kari@example.org. I want to talk to a person, please.');
  const card = chat.log.locator('[data-ticket]');
  await card.waitFor();
  const ticket = (await card.getAttribute('data-ticket')) ?? '';
  expect(ticket).toMatch(/^T-[0-9A-Z]{8}$/);
  expect(await card.textContent()).toContain('Monday to Friday');
  await expectAccessible(chat.page, 'passed on');
  await chat.page.reload();
  await card.waitFor();
  expect(await card.getAttribute('data-ticket')).toBe(ticket);

  const desk = await (await visitor(address)).open('/console');
  await expectAccessible(desk, 'the door');
  await signIn(desk, 'not the key');
  await desk.getByText('This is not the operator key').waitFor();
  await expectAccessible(desk, 'a wrong key');
  await signIn(desk, operatorKey);
  await desk.getByRole('link', { name: /kari@example\.org.*Needs a person/ }).click();
  await desk.locator('main h2', { hasText: 'kari@example.org' }).waitFor();
  expect(await desk.locator('main aside').textContent()).toContain(ticket);
  expect((await said(desk))[0]).toBe(hostile);
  await desk.locator('summary').first().click();
  await expectAccessible(desk, 'a session that waits');

  await desk.getByRole('button', { name: 'Take over' }).click();
  await desk.getByLabel('Your message to the customer').fill('Kari’s colleague here.');
  await expectAccessible(desk, 'a session taken over');
  await desk.keyboard.press('Enter');
  await expect.poll(() => said(desk), soon).toContain('Kari’s colleague here.');
  await chat.log.locator('[data-role="operator"]').waitFor();
  await chat.page.getByText('Our team answers here now.').waitFor();

  await chat.say('Can you see my order?');
  await expect.poll(() => said(desk), soon).toContain('Can you see my order?');
  expect((await chat.lines()).slice(-2)).toEqual([
    'operator: Kari’s colleague here.',
    'user: Can you see my order?',
  ]);
  await expectAccessible(chat.page, 'handed over');

  await desk.getByRole('button', { name: 'Give back' }).click();
  await expect.poll(() => chat.page.getByText('Our team answers here now.').count(), soon).toBe(0);
  await chat.ask('How long does a refund take?');

  await desk.getByRole('button', { name: 'Close', exact: true }).click();
  await desk.getByText('it takes no more messages').waitFor();
  await chat.ask('Are you still there?');
  await chat.page.getByText('so this is a new one').waitFor();
});

it('is read on from its conversation, with one key, and from the same one', async () => {
  const { address } = await realServer();
  await new Chat(await (await visitor(address)).open()).ask('How long does a refund take?');
  const desk = await (await visitor(address)).open('/console');
  await signIn(desk, operatorKey);
  await desk.locator('.row').click();
  await expect.poll(() => said(desk), soon).toHaveLength(2);
  const chosen = desk.url();
  await desk.getByText('Skip to the conversation').focus();
  await desk.keyboard.press('Enter');
  expect(await desk.locator(':focus').getAttribute('aria-label')).toBe('Conversation');
  expect(desk.url()).toBe(chosen);
  expect(await said(desk)).toHaveLength(2);
});

it('leaves alone a ticket that came after its operator’s look, and shows it', async () => {
  const { address } = await realServer();
  const customer = new Chat(await (await visitor(address)).open());
  await customer.ask('How long does a refund take?');
  const operator = await visitor(address);
  const desk = await operator.open('/console');
  await signIn(desk, operatorKey);
  await desk.locator('.row').click();
  await expect.poll(() => said(desk), soon).toHaveLength(2);
  // From here to the click the console learns nothing.
  let clicked = false;
  const reading = /\/api\/sessions\/[^/]+$/;
  await desk.route(reading, (route) => (clicked ? route.continue() : route.abort()));
  await desk.route('**/status', (route) => {
    clicked = true;
    return route.continue();
  });
  await customer.ask('I want to talk to a person, please.');
  await desk.getByRole('button', { name: 'Close', exact: true }).click();
  await desk.getByText('the customer’s ticket has changed meanwhile').waitFor();
  await desk.getByText('asked for a person (open)').waitFor();
  await expect.poll(() => said(desk), soon).toHaveLength(4);
  await expectAccessible(desk, 'a click that came too late');
  await desk.getByRole('button', { name: 'Close', exact: true }).click();
  await desk.getByText('it takes no more messages').waitFor();
  expect(await desk.getByText('changed meanwhile').count()).toBe(0);
});

it('stays where its operator reads further up, whatever comes meanwhile', async () => {
  const { address } = await realServer();
  const customer = new Chat(await (await visitor(address)).open());
  for (const text of ['How long does a refund take?', 'How do I return a jacket?', 'Hello']) {
    await customer.ask(text);
  }
  const desk = await (await visitor(address, { viewport: { width: 1000, height: 480 } })).open(
    '/console',
  );
  await signIn(desk, operatorKey);
  await desk.locator('.row').click();
  await expect.poll(() => said(desk), soon).toHaveLength(6);
  const log = desk.locator('.transcript');
  const first = log.locator('.line').first();
  await first.scrollIntoViewIfNeeded();
  const place = () => first.evaluate((line) => Math.round(line.getBoundingClientRect().top));
  const before = await place();
  await customer.ask('How long is the warranty on a tent?');
  await expect.poll(() => said(desk), soon).toHaveLength(8);
  expect(await place()).toBe(before);

  await desk.getByRole('button', { name: 'Take over' }).click();
  const box = desk.getByLabel('Your message to the customer');
  await box.waitFor();
  await first.scrollIntoViewIfNeeded();
  const reading = await place();
  const id = new URL(desk.url()).hash.slice(1);
  const colleague = await fetch(`${address}/api/sessions/${id}/operator-messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operatorKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ message: 'Ada here.' }),
  });
  expect(colleague.status).toBe(201);
  await expect.poll(() => said(desk), soon).toHaveLength(9);
  expect(await place(), 'another operator is nobody here').toBe(reading);

  await box.fill('Kari here.');
  await box.press('Enter');
  await expect.poll(() => said(desk), soon).toHaveLength(10);
  expect(await log.evaluate(({ scrollTop }) => scrollTop), 'what they write is in view').toBe(0);
});

it('keeps what its operator is writing, whoever ends the session meanwhile', async () => {
  const { address } = await realServer();
  for (const question of ['How long does a refund take?', 'Do you ship to Norway?']) {
    await new Chat(await (await visitor(address)).open()).ask(question);
  }
  const desk = await (await visitor(address)).open('/console');
  await signIn(desk, operatorKey);
  await desk.locator('.row').first().click();
  await desk.getByRole('button', { name: 'Take over' }).click();
  const box = desk.getByLabel('Your message to the customer');
  await box.fill('A long answer that is not');
  const id = new URL(desk.url()).hash.slice(1);
  const colleague = await fetch(`${address}/api/sessions/${id}/status`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${operatorKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ status: 'closed' }),
  });
  expect(colleague.status).toBe(200);
  await desk.getByText('it takes no more messages').waitFor();
  expect(await desk.locator(':focus').getAttribute('id')).toBe('reply');
  await desk.keyboard.type(' done yet');
  await expectAccessible(desk, 'a draft for a closed session');
  await desk.locator('.row').last().click();
  await expect.poll(() => said(desk), soon).toContain('How long does a refund take?');
  expect(await box.count(), 'it is for the other session').toBe(0);
  await desk.locator('.row').first().click();
  await box.waitFor();
  expect(await box.inputValue()).toBe('A long answer that is not done yet');
  await desk.getByRole('button', { name: 'Reopen' }).click();
  await desk.getByRole('button', { name: 'Take over' }).click();
  await desk.getByRole('button', { name: 'Give back' }).waitFor();
  await box.press('Enter');
  await expect.poll(() => said(desk), soon).toContain('A long answer that is not done yet');
  expect(await box.inputValue()).toBe('');
});

it('lists sessions by status, and forgets the key when its operator signs out', async () => {
  const { address } = await realServer();
  for (const text of [
    'How long does a refund take?',
    'A person, please: I want to talk to a human',
  ]) {
    await new Chat(await (await visitor(address)).open()).ask(text);
  }
  const operator = await visitor(address);
  const desk = await operator.open('/console');
  await signIn(desk, operatorKey);
  await expect.poll(() => titles(desk), soon).toHaveLength(2);
  await expectAccessible(desk, 'the list');
  await desk.locator('.row', { hasText: 'Needs a person' }).click();
  await desk.getByRole('button', { name: 'Take over' }).click();
  await desk.getByRole('button', { name: 'Handed over', exact: true }).click();
  await expect.poll(() => titles(desk), soon).toHaveLength(1);
  await desk.getByRole('button', { name: 'Closed', exact: true }).click();
  await desk.getByText('There are no sessions like that.').waitFor();
  await desk.reload();
  await desk.getByRole('button', { name: 'Give back' }).waitFor();

  await desk.getByRole('button', { name: 'Sign out' }).click();
  await desk.getByLabel('Operator key').waitFor();
  expect(await desk.evaluate('sessionStorage.length + localStorage.length')).toBe(0);
  await desk.reload();
  await desk.getByLabel('Operator key').waitFor();
  expect(await desk.locator('.row').count()).toBe(0);
});

it('leads from page to page, and says that only on each of them who needs a person comes first', async () => {
  const { address } = await realServer();
  for (let session = 0; session < 26; session += 1) {
    await fetch(`${address}/api/sessions`, { method: 'POST' });
  }
  const customer = new Chat(await (await visitor(address)).open());
  await customer.ask('I want to talk to a person, please.');
  const desk = await (await visitor(address)).open('/console');
  await signIn(desk, operatorKey);
  await expect.poll(() => titles(desk), soon).toHaveLength(25);
  const pills = [await desk.locator('.row .pill').allTextContents()];
  await desk.getByText('On each page, who needs a person comes first.').waitFor();
  await expectAccessible(desk, 'the first page');
  await desk.getByRole('button', { name: 'Next' }).click();
  await expect.poll(() => titles(desk), soon).toHaveLength(2);
  pills.push(await desk.locator('.row .pill').allTextContents());
  const first = pills.filter(([pill]) => pill === 'Needs a person');
  expect(first).toHaveLength(1);
  expect(pills.flat().filter((pill) => pill === 'Needs a person')).toHaveLength(1);
});

it('tells of sessions that cannot be read, beside those that can', async () => {
  const redis = await redisForTests();
  const on = (key: string) =>
    realServer({
      ...{ SESSION_STORE_TYPE: 'redis', REDIS_URL: redis.url },
      SESSION_ENCRYPTION_KEY: key,
    });
  const [before, after] = [await on(generateKey()), await on(generateKey())];
  const api = (method: string, path: string) =>
    fetch(`${before.address}/api/sessions${path}`, {
      method,
      headers: { authorization: `Bearer ${operatorKey}` },
    });
  const ids: string[] = [];
  const open = async () => {
    const { session_id: id } = (await (await api('POST', '')).json()) as { session_id: string };
    ids.push(id);
  };
  await open();
  await open();
  const desk = await (await visitor(after.address)).open('/console');
  await signIn(desk, operatorKey);
  const told = desk.getByRole('region', { name: 'Sessions that cannot be read' });
  await told.getByText('2 sessions cannot be read').waitFor();
  await desk.getByText('There are no others.').waitFor();
  expect((await told.getByRole('listitem').allTextContents()).sort()).toEqual(ids.sort());

  // One that is asked for by its address: what there is of it, and a way out.
  await desk.goto(`${after.address}/console#${ids[0]}`);
  await desk.getByRole('alert').getByText('This session cannot be read').waitFor();
  expect(await desk.locator('main h2').textContent()).toBe('Not shown');
  expect(await desk.locator('[aria-busy="true"]').count(), 'nothing more is to come').toBe(0);
  await desk.goBack();

  for (let more = 0; more < 4; more += 1) await open();
  await new Chat(await (await visitor(after.address)).open()).ask('How long does a refund take?');
  await told.getByText('6 sessions cannot be read').waitFor();
  await expect.poll(() => titles(desk), soon).toHaveLength(1);
  expect((await told.getByRole('listitem').allTextContents()).at(-1)).toBe('and 1 more');
  for (const width of [1280, 320]) {
    await desk.setViewportSize({ width, height: 780 });
    await expectAccessible(desk, `a list with a gap, ${width} px wide`);
    const wide = await desk.evaluate<number>(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(wide, `${width} px: it fits`).toBeLessThanOrEqual(0);
  }
  for (const id of ids) expect((await api('DELETE', `/${id}`)).status).toBe(204);
  await expect.poll(() => told.count(), soon).toBe(0);
});

it('leaves the focus where an operator goes on, whatever they press', async () => {
  const { address } = await realServer();
  const customer = new Chat(await (await visitor(address)).open());
  await customer.ask('How long does a refund take?');
  const desk = await (await visitor(address, { viewport: { width: 375, height: 780 } })).open(
    '/console',
  );
  /** The name of what has the focus, and the beginning of its text. */
  const focused = () =>
    desk.evaluate<string>(
      '(({ ariaLabel, id, textContent }) => ariaLabel || id || textContent.slice(0, 7))(document.activeElement)',
    );
  const press = async (name: string) => {
    await desk.getByRole('button', { name, exact: true }).focus();
    await desk.keyboard.press('Enter');
  };
  await signIn(desk, operatorKey);
  await expect.poll(focused, soon).toBe('Sessions');
  await desk.locator('.row').focus();
  await desk.keyboard.press('Enter');
  await expect.poll(focused, soon).toBe('Visitor');
  await press('Take over');
  await expect.poll(focused, soon).toBe('reply');
  await desk.keyboard.type('Ada here.');
  await press('Send');
  await expect.poll(() => said(desk), soon).toContain('Ada here.');
  expect(await focused()).toBe('reply');
  for (const [name, next] of [
    ['Give back', 'Take over'],
    ['Close', 'Reopen'],
    ['Reopen', 'Take over'],
  ] as const) {
    await press(name);
    await desk.getByRole('button', { name: next, exact: true }).waitFor();
    expect(await focused(), `after ${name}`).toBe('Visitor');
  }
  await press('Back to the sessions');
  await expect.poll(focused, soon).toBe('Visitor');
  expect(await desk.locator('.row:focus').count(), 'the row of the session').toBe(1);
});
