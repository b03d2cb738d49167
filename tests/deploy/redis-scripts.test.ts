import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startProcess } from '../helpers/child-process.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { ServerClient } from '../server/server-on-redis.ts';
import { findRedisServer } from '../servers/find-redis-server.ts';
import { startRedis } from '../servers/redis-server.ts';
import { composeFile } from './compose-file.ts';
import { DockerDns } from './docker-dns.ts';
import { built } from './overlay.ts';
import { programs } from './programs.ts';
import { loopbackAddresses, Replica } from './replica.ts';

const password = 'a-password-of-the-tests';

/** The one container of a pod. */
interface Container {
  readonly command: readonly string[];
  readonly args: readonly string[];
}

function containerOf(variant: string, kind: string, name: string): Container {
  const found = built(variant).find((one) => one.kind === kind && one.metadata.name === name);
  const spec = found?.spec as { template: { spec: { containers: Container[] } } } | undefined;
  const container = spec?.template.spec.containers[0];
  if (container === undefined) throw new Error(`${kind} ${name} has no container.`);
  return container;
}

it.each([
  [
    'docker-compose.secrets.yml',
    () => ({
      command: composeFile('docker-compose.secrets.yml').services.redis?.entrypoint,
      args: composeFile().services.redis?.command,
    }),
    ['requirepass'],
  ],
  ['base', () => containerOf('base', 'StatefulSet', 'holdfast-redis'), ['requirepass']],
  [
    'redis-cluster',
    () => containerOf('redis-cluster', 'StatefulSet', 'holdfast-redis-cluster'),
    ['requirepass', 'masterauth'],
  ],
] as const)(
  'Redis of %s gets its password by a file that only it reads',
  async (_, read, names) => {
    const { command = [], args = [] } = read();
    const folder = temporaryFolder();
    const here = (text: string) =>
      text.replaceAll(/\/run\/secrets\/(?:holdfast\/)?|\/tmp\//g, `${folder}/`);
    const bin = programs({ 'redis-server': 'stat -c %a "$1"; cat "$1"; shift; printf "%s|" "$@"' });
    const [shell = '', ...rest] = [...command, ...args].map((text) =>
      text === command[2] ? here(text) : text,
    );
    const start = () => {
      const env = { PATH: `${bin}:${process.env.PATH}` };
      return startProcess(shell, rest, { cwd: folder, env });
    };
    // Without one it does not start.
    expect(await start().exit).toMatchObject({ code: 1 });
    writeFileSync(join(folder, 'redis-password'), '\n');
    expect(await start().exit).toMatchObject({ code: 1 });
    writeFileSync(join(folder, 'redis-password'), `${password}\n`);
    const running = start();
    expect(await running.exit).toMatchObject({ code: 0 });
    const [mode, ...lines] = running.stdout.split('\n');
    const given = lines.pop();
    expect(mode).toBe('600');
    expect(lines).toEqual(names.map((name) => `${name} ${password}`));
    const options = args[0] === 'redis-server' ? args.slice(1) : args;
    expect(given).toBe(options.map((option) => `${option}|`).join(''));
    expect(given).not.toContain(password);
  },
);

it.skipIf(process.platform !== 'linux')(
  'six nodes become a cluster by the Job, once, and the servers work on it (Linux)',
  async () => {
    const addresses = loopbackAddresses(7);
    const [serverAddress = ''] = addresses.splice(6);
    const node = containerOf('redis-cluster', 'StatefulSet', 'holdfast-redis-cluster');
    const nodes = await Promise.all(
      addresses.map((address) => {
        const args = node.args.map((arg) =>
          arg
            .replace('$(POD_IP)', address)
            .replace('$(POD_NAME).holdfast-redis-cluster', address)
            .replace('/data/', ''),
        );
        const at = args.indexOf('--dir');
        args.splice(at, 2, '--requirepass', password, '--masterauth', password, '--port', '6379');
        return startRedis({ args, network: { host: address, within: [] } });
      }),
    );
    onTestFinished(async () => {
      await Promise.all(nodes.map((one) => one.stop()));
    });

    const { command: server, env } = await findRedisServer();
    const bin = programs({
      getent: addresses
        .map(
          (address, n) =>
            `[ "$2" != holdfast-redis-cluster-${n}.holdfast-redis-cluster ] || echo ${address} "$2"`,
        )
        .join('\n'),
    });
    symlinkSync(server.replace(/(redis|valkey)-server$/, '$1-cli'), join(bin, 'redis-cli'));
    const [shell = '', ...script] = containerOf(
      ...(['redis-cluster', 'Job', 'holdfast-redis-cluster-create'] as const),
    ).command;
    const create = async () => {
      const { LD_LIBRARY_PATH } = env;
      const job = startProcess(shell, script, {
        cwd: bin,
        env: {
          PATH: `${bin}:${process.env.PATH}`,
          REDISCLI_AUTH: password,
          ...(LD_LIBRARY_PATH !== undefined && { LD_LIBRARY_PATH }),
        },
      });
      expect(await job.exit).toMatchObject({ code: 0 });
      return job.stdout;
    };
    expect(await create()).toContain('All 16384 slots covered');
    await expect.poll(create, { timeout: 60_000 }).toContain('It is a cluster already.');

    const settings = built('redis-cluster').find(({ kind }) => kind === 'ConfigMap') as unknown as {
      data: Record<string, string>;
    };
    const named = (settings.data.REDIS_CLUSTER_NODES ?? '').split(',');
    const places = named.map((_name, n) => `${addresses[n]}:6379`);
    const dns = await DockerDns.start();
    const replica = new Replica(serverAddress, dns, {
      ...settings.data,
      REDIS_CLUSTER_NODES: places.join(','),
      REDIS_PASSWORD: password,
      LOG_LEVEL: 'warn',
    });
    // Kubernetes starts it anew until each primary has its replica.
    const state = () =>
      replica.start().then(
        () => 'ready',
        () => 'ended',
      );
    await expect.poll(state, { timeout: 100_000 }).toBe('ready');
    const client = new ServerClient(`http://${serverAddress}:8000`);
    for (let n = 0; n < 5; n++) {
      const session = await client.open();
      const { status } = await client.say(session, 'How long does a refund take?', `k-${n}`);
      expect(status).toBe(200);
      expect(await client.history(session)).toHaveLength(2);
    }
  },
);
