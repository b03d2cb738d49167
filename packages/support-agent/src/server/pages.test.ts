import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectProblem, startTestApp } from '../testing/test-app.ts';

let pagesDirectory: string;

beforeEach(async () => {
  pagesDirectory = await mkdtemp(join(tmpdir(), 'holdfast-pages-'));
});

afterEach(async () => {
  await rm(pagesDirectory, { recursive: true });
});

async function build() {
  await mkdir(join(pagesDirectory, 'assets'));
  await writeFile(join(pagesDirectory, 'index.html'), '<!doctype html><title>Chat</title>');
  await writeFile(join(pagesDirectory, 'assets', 'index-1a2b.js'), 'chat()');
}

describe('the pages', () => {
  it('are served at /, asked for anew each time, and their assets for good', async () => {
    await build();
    const { request } = await startTestApp({ pagesDirectory });
    const page = await request('GET', '/');
    expect(page.body).toContain('<title>Chat</title>');
    expect(page.headers).toMatchObject({
      'content-type': expect.stringMatching(/^text\/html/),
      'cache-control': 'no-cache',
    });
    const asset = await request('GET', '/assets/index-1a2b.js');
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  });

  it('are served at /console for operators', async () => {
    await build();
    await writeFile(join(pagesDirectory, 'console.html'), '<!doctype html><title>Console</title>');
    const { request } = await startTestApp({ pagesDirectory });
    const page = await request('GET', '/console');
    expect(page.body).toContain('<title>Console</title>');
    expect(page.headers).toMatchObject({
      'content-type': expect.stringMatching(/^text\/html/),
      'cache-control': 'no-cache',
      'content-security-policy': expect.stringContaining("default-src 'self'"),
    });
  });

  it('may load nothing from elsewhere, run nothing inline, and not be framed', async () => {
    await build();
    const { request } = await startTestApp({ pagesDirectory });
    const { headers } = await request('GET', '/');
    expect(String(headers['content-security-policy']).split(';').sort()).toEqual([
      "base-uri 'none'",
      "default-src 'self'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "object-src 'none'",
    ]);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
  });

  // Paths that a client library would tidy up first are tried in sockets.test.ts.
  it.each(['/nothing.html', '/.env'])('hold nothing at %s', async (url) => {
    await build();
    await writeFile(join(pagesDirectory, '.env'), 'SECRET=1');
    const { request } = await startTestApp({ pagesDirectory });
    const response = await request('GET', url);
    expect(response.statusCode).toBeGreaterThanOrEqual(400);
    expect(response.statusCode).toBeLessThan(500);
    expect(response.body).not.toContain('SECRET');
  });

  it('say what to do when they are not built; the API works all the same', async () => {
    const { request } = await startTestApp({ pagesDirectory });
    for (const page of ['/', '/console']) {
      const response = await request('GET', page);
      expectProblem(response, 503, 'PAGE_NOT_BUILT');
      expect(response.json()).toMatchObject({ detail: expect.stringContaining('npm run build') });
    }
    expect((await request('POST', '/api/sessions')).statusCode).toBe(201);
  });
});
