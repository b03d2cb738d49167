import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../package-root.ts';
import { startTestApp } from '../../testing/test-app.ts';
import { problems } from '../errors/http-problem.ts';

const page = readFileSync(join(packageRoot, '..', '..', 'docs', 'http-api.md'), 'utf8');

it('tells of every route, and of who may use it', async () => {
  const { request } = await startTestApp();
  const { paths } = (await request('GET', '/docs/json')).json();
  const documented = Object.entries<Record<string, { security: object[] }>>(paths).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, { security }]) => {
        const [first = {}] = security;
        const who =
          'operatorKey' in first ? 'operators' : security.length > 0 ? 'session' : 'anybody';
        return `${method.toUpperCase()} ${path} ${who}`;
      }),
  );
  const told = [...page.matchAll(/^\| `([A-Z]+ \/[^`]*)` \| (\w+) \|/gm)];
  expect(told.map(([, route, who]) => `${route} ${who}`).sort()).toEqual(documented.sort());
});

it('tells of every code of the server’s own', () => {
  const told = [...page.matchAll(/^\| `([A-Z_]+)` \| (\d+) \| (.+) \|$/gm)];
  expect(told.map(([, code, status, title]) => [code, Number(status), title])).toEqual(
    Object.entries(problems).map(([code, { status, title }]) => [code, status, title]),
  );
});
