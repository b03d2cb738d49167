import { readFile } from 'node:fs/promises';
import { expect, it, vi } from 'vitest';

const example = new URL('quick-start.ts', import.meta.url);

it('prints what its comments say', async () => {
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line) => printed.push(String(line)));
  await import('./quick-start.ts');
  log.mockRestore();
  const said = [...(await readFile(example, 'utf8')).matchAll(/console\.log\(.*\); \/\/ (.*)/g)];
  expect(printed).toEqual(said.map(([, comment]) => comment));
  expect(printed).toHaveLength(2);
});

it('is the example of the library’s README, to the letter', async () => {
  const readme = await readFile(new URL('../packages/holdfast/README.md', import.meta.url), 'utf8');
  expect(readme).toContain(`\`\`\`ts\n${await readFile(example, 'utf8')}\`\`\``);
});
