import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readmeSection } from './helpers/readme.ts';
import { repositoryRoot } from './helpers/repository.ts';

it('the page on deployment names each file of the pages that has the name of the shop', () => {
  const section = readmeSection("Your shop's name", 'docs/deployment.md');
  const folder = join(repositoryRoot, 'packages/web');
  const sources = ['src', 'public'].flatMap((name) =>
    readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' }).map((path) =>
      join(name, path),
    ),
  );
  const named = ['index.html', 'console.html', ...sources].filter(
    (path) =>
      /\.(tsx?|html|svg|css)$/.test(path) &&
      !path.endsWith('.test.ts') &&
      readFileSync(join(folder, path), 'utf8').includes('Fjell'),
  );
  expect(named.length).toBeGreaterThan(0);
  const quoted = [...section.matchAll(/`([^`]+)`/g)].map(([, text]) => text);
  expect(named.filter((path) => !quoted.includes(path))).toEqual([]);
});
