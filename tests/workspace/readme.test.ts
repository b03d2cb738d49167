import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { startProcess } from '../helpers/child-process.ts';
import { addressOf, npmStart } from '../helpers/npm-start.ts';
import { repositoryRoot } from '../helpers/repository.ts';

function has(command: string): boolean {
  return spawnSync(command, ['--version']).status === 0;
}

function curlLines(address: string): string {
  const readme = readFileSync(join(repositoryRoot, 'README.md'), 'utf8');
  const [, block] = /^```sh\n(.*?)^```$/ms.exec(readme) ?? [];
  if (block === undefined) throw new Error('README.md has no sh block.');
  expect(block).toContain('http://localhost:8000');
  return block.replace('http://localhost:8000', address);
}

// `npm test` may only ask for Node, npm and git; the lines are for who has bash and curl as well.
it.skipIf(!has('bash') || !has('curl'))(
  "the README's curl lines hold a conversation of five messages",
  async () => {
    const address = await addressOf(npmStart(inject('builtCopy')));
    const shell = startProcess('bash', ['-euo', 'pipefail', '-c', curlLines(address)], {
      cwd: repositoryRoot,
    });
    expect(await shell.exit).toEqual({ code: 0, signal: null });
    expect(shell.stderr).toBe('');

    const lines = shell.stdout.trimEnd().split('\n');
    const healthy = lines.shift();
    const status = lines.pop();
    expect([healthy, status]).toEqual(['true', '204']);

    const output = lines.join('\n');
    const history = [...output.matchAll(/^(\d+) (user|assistant): (.+(?:\n(?!\d+ \w+: ).*)*)/gm)];
    expect(history.map(([, seq, role]) => `${seq} ${role}`)).toEqual(
      [1, 3, 5, 7, 9].flatMap((seq) => [`${seq} user`, `${seq + 1} assistant`]),
    );
    const answers = history.flatMap(([, , role, text]) => (role === 'assistant' ? [text] : []));
    expect(new Set(answers).size).toBe(5);
    // The five answers as they came are the five that the conversation keeps.
    expect(output.startsWith(`${answers.join('\n')}\n1 user: `)).toBe(true);
  },
);
