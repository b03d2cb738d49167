import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './repository.ts';

/** What README.md, or another page, has under this heading, up to the next one. */
export function readmeSection(heading: string, page = 'README.md'): string {
  const text = readFileSync(join(repositoryRoot, page), 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`${page} has no section "${heading}".`);
  return section;
}

/** The section's shell lines, with each of `replacements`, which must occur in them. */
export function shellBlock(
  heading: string,
  replacements: Record<string, string>,
  page = 'README.md',
): string {
  const [, block] = /^```sh\n(.*?)^```$/ms.exec(readmeSection(heading, page)) ?? [];
  if (block === undefined) throw new Error(`${page} has no sh block under "${heading}".`);
  return Object.entries(replacements).reduce((lines, [from, to]) => {
    if (!lines.includes(from)) throw new Error(`The lines under "${heading}" have no ${from}.`);
    return lines.replaceAll(from, to);
  }, block);
}

export function hasCommands(...commands: string[]): boolean {
  return commands.every((command) => spawnSync(command, ['--version']).status === 0);
}
