import { randomUUID } from 'node:crypto';
import { devNull } from 'node:os';
import { loadConfig } from 'holdfast';
import { expect, it, onTestFinished } from 'vitest';
import { createLogger } from '../../packages/support-agent/src/logger.ts';
import { type RunningServer, serve } from '../../packages/support-agent/src/server/serve.ts';
import { GatedModel } from '../../packages/support-agent/src/testing/gated-model.ts';
import { ServerClient } from '../server/server-on-redis.ts';
import { redisForTests } from '../servers/redis-for-tests.ts';
import { DockerDns } from './docker-dns.ts';
import { LoadBalancer, nginx } from './load-balancer.ts';
import { loopbackAddresses } from './replica.ts';

interface GatedReplica {
  readonly model: GatedModel;
  readonly server: RunningServer;
}

/** Two replicas in this process, whose models answer when they are told to, behind the load balancer. */
async function gatedReplicas(redisUrl: string) {
  const dns = await DockerDns.start();
  const keyPrefix = `given-up:${randomUUID()}:`;
  const replicas: GatedReplica[] = [];
  for (const address of loopbackAddresses(2)) {
    const env = {
      ...{ API_HOST: address, API_PORT: '8000', TRUSTED_PROXIES: '1' },
      ...{ SESSION_STORE_TYPE: 'redis', REDIS_URL: redisUrl, REDIS_SESSION_KEY_PREFIX: keyPrefix },
    };
    const config = loadConfig({ env, envFile: devNull });
    const model = new GatedModel();
    const logger = createLogger('silent');
    const server = await serve({ config, logger, model, graceMs: 100 });
    onTestFinished(() => server.close());
    replicas.push({ model, server });
    dns.addresses.add(address);
  }
  const balancer = await LoadBalancer.start({ config: 'plain.conf', dns });
  return { replicas, client: new ServerClient(`http://127.0.0.1:${balancer.port}`) };
}

/** The one whose model was asked first, and the other one. */
async function busyAndFree(replicas: readonly GatedReplica[]): Promise<readonly GatedReplica[]> {
  const wasAsked = ({ model }: GatedReplica) => model.asked.length > 0;
  await expect.poll(() => replicas.some(wasAsked), { timeout: 60_000 }).toBe(true);
  return replicas.toSorted((a, b) => Number(wasAsked(b)) - Number(wasAsked(a)));
}

it.skipIf(process.platform !== 'linux' || nginx === undefined)(
  'a message that its server gives up is answered by another at its first attempt, if it has a key (nginx, on Linux)',
  async () => {
    await using redis = await redisForTests();
    const { replicas, client } = await gatedReplicas(redis.url);
    const session = await client.open();
    const message = client.say(session, 'Is it in stock?', 'k-1');
    const [busy, free] = await busyAndFree(replicas);
    await busy?.server.close();
    (await free?.model.nextQuestion())?.answer('It is.');
    expect(await message).toMatchObject({ status: 200, body: { message: 'It is.' } });
    const history = await client.history(session);
    expect(history.map(({ content }) => content.text)).toEqual(['Is it in stock?', 'It is.']);

    // Without a key it might be made twice: the customer is told.
    const unnamed = client.say(session, 'And in red?');
    await free?.model.nextQuestion();
    await free?.server.close();
    expect(await unnamed).toMatchObject({ status: 503, body: { code: 'SERVER_CLOSING' } });
  },
);
