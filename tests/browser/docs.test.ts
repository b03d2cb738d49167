import { expect, it } from 'vitest';
import { addressOf, npmStart } from '../helpers/npm-start.ts';
import { repositoryRoot } from '../helpers/repository.ts';
import { visitor } from './support/browser.ts';

it('shows the API’s routes, and tries one, under its own strict policy', async () => {
  const address = await addressOf(npmStart(repositoryRoot));
  const page = await (await visitor(address)).open('/docs');
  const operation = page.locator('#operations-Sessions-createSession');
  await operation.locator('button').first().click();
  await operation.getByRole('button', { name: 'Try it out' }).click();
  await operation.getByRole('button', { name: 'Execute' }).click();
  const answered = operation.locator('.live-responses-table .response .response-col_status');
  await answered.first().waitFor();
  expect((await answered.first().innerText()).trim()).toBe('201');
  expect(await page.locator('.opblock').count()).toBeGreaterThan(15);
});
