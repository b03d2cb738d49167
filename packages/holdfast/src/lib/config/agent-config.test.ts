import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError } from '../errors/errors.ts';
import { checkConfig, loadConfig } from './load-config.ts';
import { rereadSecrets } from './reread-secrets.ts';

const openai = { AI_PROVIDER: 'openai', OPENAI_API_KEY: 'sk-of-the-tests' };
const load = (env: Record<string, string>) => loadConfig({ env, envFile: '/dev/null' });
const wrongWith = (env: Record<string, string>) => checkConfig({ env, envFile: '/dev/null' }).wrong;

function fileOf(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-model-key-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'key');
  writeFileSync(path, content);
  return path;
}

describe('AI_PROVIDER=openai', () => {
  it('has its defaults', () => {
    expect(load(openai).agent.openai).toMatchObject({
      baseUrl: 'https://api.openai.com/v1',
      model: 'gpt-4.1-mini',
      timeoutMs: 60_000,
    });
  });

  it('needs a key, except at a server that is not that of OpenAI', () => {
    expect(() => load({ AI_PROVIDER: 'openai' })).toThrow(ConfigError);
    expect(() => load({ AI_PROVIDER: 'openai' })).toThrow(/set OPENAI_API_KEY/);
    const slash = { AI_PROVIDER: 'openai', OPENAI_API_BASE: 'https://api.openai.com/v1/' };
    expect(() => load(slash)).toThrow(/set OPENAI_API_KEY/);
    const own = { AI_PROVIDER: 'openai', OPENAI_API_BASE: 'http://localhost:11434/v1' };
    expect(load(own).agent.openai?.apiKey).toBeUndefined();
  });

  it('takes its key from a file, again when it has changed, and shows it nowhere', () => {
    const path = fileOf('sk-first\n');
    const config = load({ AI_PROVIDER: 'openai', OPENAI_API_KEY_FILE: path });
    const key = config.agent.openai?.apiKey;
    expect(key?.value).toBe('sk-first');
    writeFileSync(path, 'sk-second\n');
    expect(rereadSecrets(config).settings).toEqual(['OPENAI_API_KEY_FILE']);
    expect(key?.value).toBe('sk-second');
    expect(JSON.stringify(config) + inspect(config, { depth: 9 })).not.toContain('sk-');
  });

  it('refuses a key beside its file, and a file that is not there, without its path', () => {
    const file = { ...openai, OPENAI_API_KEY_FILE: '/nowhere/secret' };
    expect(wrongWith(file)).toEqual([
      'OPENAI_API_KEY and OPENAI_API_KEY_FILE are both set: leave one out',
    ]);
    const [missing] = wrongWith({ AI_PROVIDER: 'openai', OPENAI_API_KEY_FILE: '/nowhere/secret' });
    expect(missing).toMatch(/^OPENAI_API_KEY_FILE names a file that could not be read/);
    expect(missing).not.toContain('nowhere');
  });

  it('refuses a key in a file that no header can hold, at the start and later', () => {
    const path = fileOf('sk-first \n');
    const env = { AI_PROVIDER: 'openai', OPENAI_API_KEY_FILE: path };
    const why =
      'OPENAI_API_KEY_FILE names a file whose content must be visible ASCII characters, as headers can hold them';
    expect(wrongWith(env)).toEqual([why]);
    writeFileSync(path, 'sk-first\n');
    const config = load(env);
    writeFileSync(path, 'sk-second\n\n');
    expect(() => rereadSecrets(config)).toThrow(why);
    expect(config.agent.openai?.apiKey?.value).toBe('sk-first');
  });

  it('must be given up before the turn is', () => {
    expect(wrongWith({ ...openai, SESSION_TURN_MAX_SECONDS: '59' })).toEqual([
      expect.stringMatching(
        /^SESSION_TURN_MAX_SECONDS \(59\) is under AGENT_MODEL_TIMEOUT_SECONDS \(60\)/,
      ),
    ]);
    expect(wrongWith({ ...openai, SESSION_TURN_MAX_SECONDS: '60' })).toEqual([]);
    const both = { SESSION_TURN_MAX_SECONDS: '59', AGENT_MODEL_TIMEOUT_SECONDS: '59' };
    expect(wrongWith({ ...openai, ...both })).toEqual([]);
  });
});

describe('AI_PROVIDER=local', () => {
  it('looks at no key, no file of one, and no time of another model', () => {
    const unused = {
      OPENAI_API_KEY_FILE: '/nowhere/secret',
      SESSION_TURN_MAX_SECONDS: '5',
    };
    expect(load(unused).agent).toEqual({
      provider: 'local',
      knowledgeDir: undefined,
      openai: undefined,
    });
  });
});
