import { expect, inject, it } from 'vitest';
import { startProcess } from '../helpers/child-process.ts';
import { addressOf, npmStart } from '../helpers/npm-start.ts';
import { hasCommands, shellBlock } from '../helpers/readme.ts';
import { repositoryRoot } from '../helpers/repository.ts';

it.skipIf(!hasCommands('bash', 'curl'))(
  "the API page's curl lines stream an answer, and read it again from its third event on",
  async () => {
    const address = await addressOf(npmStart(inject('builtCopy')));
    const script = shellBlock(
      'With curl',
      { 'http://localhost:8000': address },
      'docs/http-api.md',
    );
    const shell = startProcess('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: repositoryRoot,
    });
    expect(await shell.exit).toEqual({ code: 0, signal: null });
    expect(shell.stderr).toBe('');

    const blocks = shell.stdout.trimEnd().split('\n\n');
    const article = blocks.pop();
    expect(article).toMatch(/^refunds#/);
    const end = blocks.findIndex((block) => block.startsWith('event: reply\n'));
    const events = blocks.slice(0, end);
    expect(events.map((block) => /^id: (\d+)$/m.exec(block)?.[1])).toEqual(
      events.map((_, index) => `${index + 1}`),
    );
    expect(events.length).toBeGreaterThan(3);
    expect(blocks.slice(end + 1)).toEqual(events.slice(3));
  },
);
