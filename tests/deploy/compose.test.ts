import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from 'holdfast';
import { generateKey } from 'holdfast/encryption';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { settingsSchema } from '../../packages/holdfast/src/lib/config/settings.ts';
import { startProcess } from '../helpers/child-process.ts';
import { readmeSection } from '../helpers/readme.ts';
import { makeTemporaryFolder, removeFolder } from '../helpers/temporary-folder.ts';
import { type ComposeFile, composeFile, deployFolder } from './compose-file.ts';
import { madeBy } from './made-by.ts';
import { programs } from './programs.ts';

const files = [
  ...['docker-compose.yml', 'docker-compose.secrets.yml', 'docker-compose.openai.yml'],
  'docker-compose.tls.yml',
];
const variants = [
  ['docker-compose.yml'],
  ['docker-compose.yml', 'docker-compose.secrets.yml'],
  ['docker-compose.yml', 'docker-compose.openai.yml'],
  ['docker-compose.yml', 'docker-compose.tls.yml'],
  files,
];

const page = 'docs/deployment.md';
const compose = 'docker-compose';
const hasCompose = spawnSync(compose, ['version']).status === 0;
const openssl = 'openssl';
const python = '/usr/bin/python3';
const hasComposeLibrary = spawnSync(python, ['-c', 'import compose']).status === 0;

function shellOf(env: Record<string, string>): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: process.env.HOME, ...env };
}

/** What Compose makes of these files, as `docker-compose config` prints it. */
function configOf(names: readonly string[], env: Record<string, string>): ComposeFile {
  const args = [...names.flatMap((name) => ['-f', name]), 'config'];
  const options = {
    cwd: deployFolder,
    env: shellOf(env),
    encoding: 'utf8',
    stdio: 'pipe',
  } as const;
  return parse(execFileSync(compose, args, options));
}

/** What `up` would start of it, and how many: `docker-compose up`'s own code, without an engine. */
function started(names: readonly string[], env: Record<string, string>): unknown {
  const script = join(import.meta.dirname, 'compose-services.py');
  const args = [script, '.', ...names];
  return JSON.parse(
    execFileSync(python, args, {
      cwd: deployFolder,
      env: shellOf(env),
      encoding: 'utf8',
      stdio: 'pipe',
    }),
  );
}

describe('docker-compose.yml', () => {
  it.skipIf(!hasComposeLibrary).each([
    ['', { holdfast: 1 }, {}],
    ['in_memory', { holdfast: 1 }, { SESSION_STORE_TYPE: 'in_memory' }],
    ['redis', { redis: 1, replica: 3, loadbalancer: 1 }, { SESSION_STORE_TYPE: 'redis' }],
  ])('with SESSION_STORE_TYPE=%s it starts %j (docker-compose)', (_, services, env) => {
    expect(started([], env)).toEqual(services);
    expect(started(files, env)).toEqual(services);
  });

  it('has the store as the profile of each service, by its .env', () => {
    const lines = readFileSync(join(deployFolder, '.env'), 'utf8').split('\n');
    // Compose 1.28 and newer, 2 included, read COMPOSE_PROFILES from here, with variables filled in.
    expect(lines).toContain(`COMPOSE_PROFILES=\${SESSION_STORE_TYPE:-in_memory}`);
    const { services } = composeFile();
    const profiles = Object.entries(services).map(([name, service]) => [name, service.profiles]);
    expect(Object.fromEntries(profiles)).toEqual({
      holdfast: ['in_memory'],
      replica: ['redis'],
      loadbalancer: ['redis'],
      redis: ['redis'],
    });
  });

  it.skipIf(!hasCompose)('is read here as Compose reads it (docker-compose)', () => {
    const env = { SESSION_STORE_TYPE: 'redis', API_PORT: '8123', ADMIN_API_KEY: 'k'.repeat(16) };
    const theirs = configOf(['docker-compose.yml'], env);
    for (const [name, ours] of Object.entries(composeFile('docker-compose.yml', env).services)) {
      const { environment, command, deploy, user } = theirs.services[name] ?? {};
      expect([name, environment, command, deploy, user]).toEqual([
        ...[name, ours.environment, ours.command, ours.deploy, ours.user],
      ]);
    }
    expect(theirs.services.loadbalancer?.ports).toEqual(['127.0.0.1:8123:8080/tcp']);
    expect(theirs.services.replica?.environment?.ADMIN_API_KEY).toBe('k'.repeat(16));
  });

  it.skipIf(!hasCompose).each(variants.map((names) => [names.join(' and '), names] as const))(
    'is accepted with %s (docker-compose)',
    (_, names) => {
      const env = { SESSION_STORE_TYPE: 'redis' };
      const { services } = configOf(names, env);
      const command = services.redis?.command ?? [];
      const given = (option: string) => command[command.indexOf(option) + 1];
      expect(given('--appendonly')).toBe('yes');
      expect(given('--maxmemory-policy')).toBe('noeviction');
      expect(services.replica?.deploy?.replicas).toBe(3);
      expect(services.replica?.environment).toMatchObject({
        SESSION_STORE_TYPE: 'redis',
        TRUSTED_PROXIES: '1',
      });
    },
  );

  it('sets only settings that there are, and none wrong', () => {
    const known = Object.keys(settingsSchema.shape);
    for (const name of files) {
      const { services } = composeFile(name);
      for (const service of [services.holdfast, services.replica]) {
        const names = Object.keys(service?.environment ?? {});
        expect(names.filter((setting) => !known.includes(setting))).toEqual([]);
      }
    }
    for (const service of ['holdfast', 'replica']) {
      const env = composeFile().services[service]?.environment ?? {};
      const { server } = loadConfig({ env, envFile: '/dev/null' });
      expect([server.host, server.port]).toEqual(['0.0.0.0', 8000]);
    }
  });

  it('hands on what turns encryption on for sessions that are there', () => {
    const key = { SESSION_ENCRYPTION_KEY: generateKey() };
    const read = (step: Record<string, string>) => {
      const { services } = composeFile('docker-compose.yml', { ...key, ...step });
      const env = services.replica?.environment ?? {};
      return loadConfig({ env, envFile: '/dev/null' }).encryption;
    };
    expect(read({ SESSION_ENCRYPTION_ENABLED: 'false' })).toMatchObject({ cipher: 'none' });
    const both = { cipher: 'aes-256-gcm', allowPlaintext: true };
    expect(read({ SESSION_ENCRYPTION_ALLOW_PLAINTEXT: 'true' })).toMatchObject(both);
    expect(read({})).toMatchObject({ ...both, allowPlaintext: false });
  });

  it.skipIf(!hasCompose)(
    'takes the articles of a file of one’s own, as the page on deployment has it (docker-compose)',
    () => {
      const [, own = ''] = /^```yaml\n(.*?)^```$/ms.exec(readmeSection('Compose', page)) ?? [];
      const folder = makeTemporaryFolder();
      onTestFinished(() => removeFolder(folder));
      const path = join(folder, 'own.yml');
      writeFileSync(path, own);
      const shell = { SESSION_STORE_TYPE: 'redis' };
      const { replica } = configOf(['docker-compose.yml', path], shell).services;
      expect(replica?.environment).toMatchObject({ ...shell, KNOWLEDGE_DIR: '/knowledge' });
      expect(replica?.volumes).toEqual([`${join(deployFolder, 'knowledge')}:/knowledge:ro`]);
    },
  );

  it('hands the model of the shell on, with its key from a file where that is asked for', async () => {
    const folder = makeTemporaryFolder();
    onTestFinished(() => removeFolder(folder));
    const shell = { AI_PROVIDER: 'openai', OPENAI_API_KEY: 'sk-1', AGENT_MODEL: 'small-model' };
    const path = join(folder, 'openai-api-key');
    writeFileSync(path, 'sk-2\n');
    const { services, secrets = {} } = composeFile('docker-compose.openai.yml');
    for (const name of ['holdfast', 'replica']) {
      const env = composeFile('docker-compose.yml', shell).services[name]?.environment ?? {};
      const load = (more: object) => loadConfig({ env: { ...env, ...more }, envFile: '/dev/null' });
      const { openai } = load({}).agent;
      expect([openai?.model, openai?.apiKey?.value]).toEqual(['small-model', 'sk-1']);
      const { environment, secrets: used } = services[name] ?? {};
      expect(used).toEqual(Object.keys(secrets));
      expect(environment?.OPENAI_API_KEY_FILE).toBe('/run/secrets/openai-api-key');
      const withFile = load({ ...environment, OPENAI_API_KEY_FILE: path });
      expect(withFile.agent.openai?.apiKey?.value).toBe('sk-2');
    }
  });

  it('gives containers no more than they need, and a stopping server its time', () => {
    const { services, networks } = composeFile();
    for (const [name, service] of Object.entries(services)) {
      expect([name, service.read_only, service.cap_drop]).toEqual([name, true, ['ALL']]);
      expect(service.image).toMatch(
        /^(nginx:\d+\.\d+\.\d+-alpine|redis:\d+\.\d+\.\d+-alpine|holdfast:latest)$/,
      );
    }
    // What runs as root in its image is told to run as somebody else; our own image says so itself.
    expect([services.redis?.user, services.loadbalancer?.user]).toEqual(['redis', '101:101']);
    expect(networks?.store?.internal).toBe(true);
    expect([services.redis?.networks, services.redis?.ports]).toEqual([['store'], undefined]);
    // 10 s for turns that run and 2 s to hand the others' sessions back.
    expect(Number.parseInt(services.replica?.stop_grace_period ?? '', 10)).toBeGreaterThan(12);
    expect(services.loadbalancer?.depends_on?.replica?.condition).toBe('service_healthy');
    expect(services.replica?.depends_on?.redis?.condition).toBe('service_healthy');
  });
});

describe('make-secrets.sh', () => {
  it.skipIf(spawnSync(openssl, ['version']).status !== 0)(
    'makes what docker-compose.secrets.yml and the servers take, once (openssl)',
    async () => {
      const folder = await madeBy('make-secrets.sh');
      const { secrets = {}, services } = composeFile('docker-compose.secrets.yml');
      const there = (path: string) => path.replace('/run/secrets', join(folder, 'secrets'));
      for (const [name, { file }] of Object.entries(secrets)) {
        expect(file).toBe(`./secrets/${name}`);
        expect(readFileSync(join(folder, file), 'utf8')).toMatch(/^\S{32,}\n$/);
      }
      const env = {
        ...composeFile().services.replica?.environment,
        ...services.replica?.environment,
      };
      const placed = Object.entries(env).map(([name, value]) => [name, there(value)]);
      const config = loadConfig({ env: Object.fromEntries(placed), envFile: '/dev/null' });
      expect(config.encryption?.ring.keys).toHaveLength(1);
      expect([config.server.adminApiKey?.value, config.server.metricsToken?.value]).toEqual([
        expect.stringMatching(/^\S{32}$/),
        expect.stringMatching(/^\S{32}$/),
      ]);
      const password = readFileSync(join(folder, 'secrets/redis-password'), 'utf8').trim();
      expect(config.redis.password?.value).toBe(password);
      const again = startProcess('sh', [join(folder, 'make-secrets.sh')], { cwd: folder });
      expect(await again.exit).toMatchObject({ code: 0 });
      expect(again.stdout).toBe('');
      expect(readFileSync(join(folder, 'secrets/redis-password'), 'utf8').trim()).toBe(password);
    },
  );
});

describe('rolling-restart.sh', () => {
  it('replaces one replica after the other, each once the one before is well', async () => {
    // An engine that has two containers, and writes down what it is asked.
    const engine = 'echo "$SESSION_STORE_TYPE: $*" >>asked; case "$*" in *ps*) echo one two;; esac';
    const bin = programs({ docker: engine });
    const folder = await madeBy('rolling-restart.sh', { PATH: `${bin}:${process.env.PATH}` });
    const up = 'compose up --detach --no-deps --no-recreate --wait replica';
    expect(readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n')).toEqual(
      [
        'compose ps --quiet replica',
        ...['stop one', 'rm one', up],
        ...['stop two', 'rm two', up],
      ].map((asked) => `redis: ${asked}`),
    );
  });
});
