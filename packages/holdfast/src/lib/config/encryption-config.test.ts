import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fernet } from '../encryption/fernet.ts';
import { generateKey } from '../encryption/parse-key.ts';
import { ConfigError } from '../errors/errors.ts';
import { createSessionStore } from './create-session-store.ts';
import { rereadKeys } from './encryption-config.ts';
import { loadConfig } from './load-config.ts';

const load = (env: Record<string, string>) => loadConfig({ env, envFile: '/dev/null' });
const [one, two] = [generateKey(), generateKey()];

function fileOf(...lines: string[]): { path: string; write: (...lines: string[]) => void } {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-keys-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'keys');
  const write = (...lines: string[]) => writeFileSync(path, lines.join('\n'));
  write(...lines);
  return { path, write };
}

function errorOf(env: Record<string, string>): string {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('It was loaded.');
}

describe('encryption', () => {
  it.each([
    ['base64url', one],
    ['a Fernet key', fernet.generateKey()],
    ['hexadecimal', Buffer.from(one, 'base64url').toString('hex')],
  ])('is on with a key in %s, by AES-256-GCM, and no plaintext is read', (_, key) => {
    const { encryption } = load({ SESSION_ENCRYPTION_KEY: key });
    expect(encryption).toMatchObject({ cipher: 'aes-256-gcm', allowPlaintext: false });
    expect(encryption?.ring.keys).toHaveLength(1);
  });

  it('is off without a key; switched off with one, what is encrypted is read still', () => {
    expect(load({}).encryption).toBeUndefined();
    expect(load({ SESSION_ENCRYPTION_ENABLED: 'false' }).encryption).toBeUndefined();
    for (const off of ['false', 'No', '0', 'off']) {
      const env = { SESSION_ENCRYPTION_ENABLED: off, SESSION_ENCRYPTION_KEY: one };
      expect(load(env).encryption).toMatchObject({ cipher: 'none', allowPlaintext: true });
    }
  });

  it.each(['true', 'ON', 'enabled', '1'])('is an error when it is %s without a key', (on) => {
    expect(errorOf({ SESSION_ENCRYPTION_ENABLED: on })).toContain(
      'SESSION_ENCRYPTION_ENABLED asks for encryption, and there is no key',
    );
  });

  it('takes several keys, and the other cipher', () => {
    const { encryption } = load({
      SESSION_ENCRYPTION_KEY: `${one},${two}`,
      SESSION_ENCRYPTION_CIPHER: 'fernet',
      SESSION_ENCRYPTION_ALLOW_PLAINTEXT: 'true',
    });
    expect(encryption?.ring.keys).toHaveLength(2);
    expect(encryption).toMatchObject({ cipher: 'fernet', allowPlaintext: true });
  });

  it('names the setting and the place of a wrong key, and not the key', () => {
    const message = errorOf({ SESSION_ENCRYPTION_KEY: `${one},hunter2hunter2` });
    expect(message).toContain('Key 2 of 2 in SESSION_ENCRYPTION_KEY ');
    expect(message).not.toMatch(new RegExp(`hunter2|${one}`));
    expect(message.match(/Correct the settings/g)).toHaveLength(1);
  });

  it('reads keys from a file, one a line', () => {
    const { path } = fileOf(one, '', ` ${two}`, '');
    const { encryption } = load({ SESSION_ENCRYPTION_KEY_FILE: path });
    expect(encryption?.ring.keys).toHaveLength(2);
  });

  it.each([
    ['is empty', 'holds no key'],
    ['is not there', 'could not be read (ENOENT: there is no such file)'],
    ['is set beside the key', 'are both set'],
  ])('says so when the file %s', (why, what) => {
    const { path } = fileOf('');
    const message = errorOf({
      SESSION_ENCRYPTION_KEY_FILE: why === 'is not there' ? `${path}x` : path,
      ...(why === 'is set beside the key' && { SESSION_ENCRYPTION_KEY: one }),
    });
    expect(message).toContain('SESSION_ENCRYPTION_KEY_FILE');
    expect(message).toContain(what);
    expect(message).not.toContain(path);
  });

  it('reads the file again when it is told to', () => {
    const { path, write } = fileOf(one);
    const config = load({ SESSION_ENCRYPTION_KEY_FILE: path });
    const before = config.encryption?.ring.primary.id;
    write(two, one);
    expect(rereadKeys(config)).toEqual([expect.any(String), before]);
    write('short');
    expect(() => rereadKeys(config)).toThrow(ConfigError);
    expect(config.encryption?.ring.keys).toHaveLength(2);
    expect(rereadKeys(load({ SESSION_ENCRYPTION_KEY: one }))).toBeNull();
    expect(rereadKeys(load({}))).toBeNull();
  });

  it('is not shown by whoever prints the configuration', () => {
    const config = load({ SESSION_ENCRYPTION_KEY: one });
    expect(inspect(config, { depth: 9 }) + JSON.stringify(config)).not.toContain(one);
  });

  it('works in memory too', async () => {
    const config = load({ SESSION_ENCRYPTION_KEY: one });
    const store = await createSessionStore(config);
    onTestFinished(() => store.close());
    await store.create('s', { metadata: { a: 1 } });
    await store.appendMessages('s', [{ role: 'user', content: 'Hello' }]);
    expect((await store.get('s'))?.metadata).toEqual({ a: 1 });
    expect((await store.messages('s'))[0]?.content).toBe('Hello');
    expect((await store.getStats()).encryptionEnabled).toBe(true);
  });
});
