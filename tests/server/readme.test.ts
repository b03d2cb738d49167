import { randomUUID } from 'node:crypto';
import { expect, inject, it } from 'vitest';
import { type RunningProcess, startProcess } from '../helpers/child-process.ts';
import { addressOf } from '../helpers/npm-start.ts';
import { hasCommands, readmeSection, shellBlock } from '../helpers/readme.ts';
import { redisForTests } from '../servers/redis-for-tests.ts';

const heading = 'On Redis';

/** The start lines of the README as they stand, but for where Redis is and the ports. */
function startAsDocumented(redisUrl: string): RunningProcess[] {
  const prefix = `readme:${randomUUID()}:`;
  const lines = readmeSection(heading).match(/^ {4}.*npm start$/gm) ?? [];
  expect(lines).toHaveLength(2);
  return lines.map((line) => {
    expect(line).toContain('REDIS_URL=redis://localhost:6379/0');
    const command = line
      .replace('redis://localhost:6379/0', redisUrl)
      .replace(/API_PORT=\d+/, 'API_PORT=0')
      .replace('npm start', 'npm start --silent');
    return startProcess('bash', ['-c', command], {
      cwd: inject('builtCopy'),
      env: { API_PORT: '0', REDIS_SESSION_KEY_PREFIX: prefix },
    });
  });
}

it.skipIf(!hasCommands('bash', 'curl'))(
  "the README's lines ask one server and read the answer at another",
  async () => {
    await using redis = await redisForTests();
    const [one = '', other = ''] = await Promise.all(startAsDocumented(redis.url).map(addressOf));
    const script = shellBlock(heading, {
      'http://localhost:8000': one,
      'http://localhost:8001': other,
    });
    const shell = startProcess('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: inject('builtCopy'),
    });
    expect(await shell.exit).toEqual({ code: 0, signal: null });
    expect(shell.stderr).toBe('');
    const [answer, ...rest] = shell.stdout.trimEnd().split('\n');
    expect(answer).toContain('five working days');
    expect(rest).toEqual(['user: How long does a refund take?', `assistant: ${answer}`, 'true']);
  },
);
