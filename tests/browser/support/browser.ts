import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, expect, onTestFinished } from 'vitest';

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

let browser: Promise<Browser> | undefined;

afterAll(async () => (await browser)?.close());

/** One browser for all tests of a file. */
function sharedBrowser(): Promise<Browser> {
  browser ??= chromium.launch({ executablePath: '/usr/bin/chromium', args });
  return browser;
}

/** Somebody's browser, with cookies and storage of its own. */
export interface Visitor {
  /** A tab on the address of this path. */
  open(path?: string): Promise<Page>;
}

/**
 * A visitor until the test ends. What every page must keep to is looked at then: no error in a
 * script, nothing asked of any other address, and nothing that the page's policy had to forbid.
 */
export async function visitor(
  address: string,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await (await sharedBrowser()).newContext(options);
  context.setDefaultTimeout(100_000);
  const wrong: string[] = [];
  context.on('weberror', (error) => wrong.push(error.error().message));
  context.on('dialog', (dialog) => {
    wrong.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('console', (line) => {
    // Refused and broken requests are reported here as well; tests that cause them look at what is shown.
    const isRequest = line.text().startsWith('Failed to load resource');
    if (line.type() === 'error' && !isRequest) wrong.push(line.text());
  });
  context.on('request', (request) => {
    if (new URL(request.url()).origin !== address) wrong.push(`a request for ${request.url()}`);
  });
  onTestFinished(async () => {
    await context.close();
    expect(wrong).toEqual([]);
  });
  return {
    async open(path = '/') {
      const page = await context.newPage();
      await page.goto(address + path);
      return page;
    },
  };
}
