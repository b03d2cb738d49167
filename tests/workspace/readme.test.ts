import { expect, inject, it } from 'vitest';
import { startProcess } from '../helpers/child-process.ts';
import { addressOf, npmStart } from '../helpers/npm-start.ts';
import { hasCommands, shellBlock } from '../helpers/readme.ts';
import { repositoryRoot } from '../helpers/repository.ts';

// `npm test` may only ask for Node, npm and git; the lines are for who has bash and curl as well.
it.skipIf(!hasCommands('bash', 'curl'))(
  "the README's curl lines hold a conversation of five messages",
  async () => {
    const address = await addressOf(npmStart(inject('builtCopy')));
    const script = shellBlock('A conversation with curl', { 'http://localhost:8000': address });
    const shell = startProcess('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: repositoryRoot,
    });
    expect(await shell.exit).toEqual({ code: 0, signal: null });
    expect(shell.stderr).toBe('');

    const lines = shell.stdout.trimEnd().split('\n');
    const healthy = lines.shift();
    const status = lines.pop();
    expect([healthy, status]).toEqual(['true', '204']);

    const output = lines.join('\n');
    const history = [
      ...output.matchAll(/^(user|assistant): (.+(?:\n(?!user: |assistant: ).*)*)/gm),
    ];
    expect(history.map(([, role]) => role)).toEqual(
      Array.from({ length: 5 }, () => ['user', 'assistant']).flat(),
    );
    const answers = history.flatMap(([, role, text]) => (role === 'assistant' ? [text] : []));
    expect(new Set(answers).size).toBe(5);
    // The five answers as they came are the five that the conversation keeps.
    expect(output.startsWith(`${answers.join('\n')}\nuser: `)).toBe(true);
  },
);
