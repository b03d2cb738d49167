import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fernet, KeyRing } from 'holdfast/encryption';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../helpers/repository.ts';
import { expectToFit, hasTerminals, run, startInTerminal } from './command-line.ts';

const commands = [
  ...['keygen', 'doctor', 'stats', 'cleanup', 'rekey', 'migrate', 'bench', 'sessions'],
  ...['list', 'show', 'tail', 'delete', 'revoke-user', 'export', 'erase'].map(
    (name) => `sessions ${name}`,
  ),
  'migrate python-v2',
];

describe('holdfast', () => {
  it('says what it can do, and every command how it is used', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).toBe(0);
    for (const name of commands.filter((each) => !each.includes(' '))) {
      expect(stdout).toMatch(new RegExp(`^  ${name}( |$)`, 'm'));
    }
    const helps = await Promise.all(commands.map((name) => run([...name.split(' '), '--help'])));
    for (const [at, help] of helps.entries()) {
      expect(help, commands[at]).toMatchObject({ code: 0, stderr: '' });
      expect(help.stdout).toContain(`Usage: holdfast ${commands[at]}`);
    }
  });

  it('says which version it is', async () => {
    const { version } = JSON.parse(
      readFileSync(join(repositoryRoot, 'packages/holdfast/package.json'), 'utf8'),
    );
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  it('is written down, each command of it', () => {
    const page = readFileSync(join(repositoryRoot, 'docs/cli.md'), 'utf8');
    const groups = ['sessions', 'migrate'];
    for (const name of commands.filter((each) => !groups.includes(each))) {
      expect(page).toMatch(new RegExp(`^\\| \`holdfast ${name}[ \`]`, 'm'));
    }
  });

  it.each([
    [['sessoins'], /unknown command 'sessoins' \(Did you mean sessions\?\)/],
    [['stats', '--wacth'], /unknown option '--wacth'/],
    [['sessions', 'show'], /missing required argument 'id'/],
    [['sessions', 'list', '--limit', 'ten'], /whole number from 1/],
    [['sessions', 'list', '--status', 'open'], /Allowed choices are active, handed_over, closed/],
    [['bench', '--seconds', '0'], /whole number from 1/],
    [['sessions', 'delete', 'a'], /nobody is there to be asked: add --yes/],
    [['sessions', 'erase', 'a'], /add --yes/],
    [['sessions', 'revoke-user', 'a'], /add --yes/],
  ])('%j is a wrong use: it ends with 2', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(message);
  });

  it.each([['stats'], ['cleanup'], ['rekey'], ['bench'], ['sessions', 'list']])(
    '%s says that sessions in memory are out of reach',
    async (...args) => {
      const { code, stderr } = await run(args);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^error: SESSION_STORE_TYPE is not redis/);
    },
  );

  it('names a settings file that is not there', async () => {
    const { code, stderr } = await run(['stats', '--settings', 'no-such-file']);
    expect(code).toBe(1);
    expect(stderr).toContain('The settings file no-such-file could not be read (ENOENT');
  });
});

describe('holdfast keygen', () => {
  it('makes a key that a ring takes, alone on its line', async () => {
    const [one, other] = await Promise.all([run(['keygen']), run(['keygen'])]);
    expect(one).toMatchObject({ code: 0, stderr: '' });
    expect(one.stdout).toMatch(/^\S+\n$/);
    expect(one.stdout).not.toBe(other.stdout);
    expect(() => KeyRing.parse(one.stdout.trim())).not.toThrow();
  });

  it('makes a Fernet key that Fernet takes', async () => {
    const { stdout } = await run(['keygen', '--fernet']);
    const key = stdout.trim();
    const token = fernet.encrypt(key, Buffer.from('text'));
    expect(String(fernet.decrypt(key, token))).toBe('text');
  });

  it('prints an object, with the id that logs show', async () => {
    const { stdout } = await run(['keygen', '--json']);
    const { key, keyId } = JSON.parse(stdout);
    expect(KeyRing.parse(key).primary.id).toBe(keyId);
  });

  it.skipIf(!hasTerminals)('says in a terminal what the key is for', async () => {
    const running = startInTerminal(['keygen']);
    expect(await running.exit).toMatchObject({ code: 0 });
    expect(running.stdout).toContain('SESSION_ENCRYPTION_KEY');
    expectToFit(running.stdout);
  });
});
