import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  EventReader,
  type ReceivedEvent,
} from '../../packages/support-agent/src/testing/event-reader.ts';
import { type OpenSession, ServerClient, type StoredMessage } from '../server/server-on-redis.ts';
import { startRedis } from '../servers/redis-server.ts';
import { composeFile } from './compose-file.ts';
import { DockerDns } from './docker-dns.ts';
import { LoadBalancer, nginx } from './load-balancer.ts';
import { loopbackAddresses, Replica } from './replica.ts';

const customers = 6;
const messagesPerConversation = 6;
const rounds = 2;
/** So many are answered before the next server is stopped. */
const answersBetween = 25;

const questions = [
  'How long does a refund take?',
  'How long does standard delivery take?',
  'How do I earn Fern Club points?',
  'How long is the warranty on a tent?',
];

interface Said {
  readonly text: string;
  readonly answer: string;
}

/** What customers have got so far. None of them sends anything twice. */
class Traffic {
  readonly #client: ServerClient;
  answers = 0;
  requests = 0;
  resumed = 0;
  isEnough = false;

  constructor(client: ServerClient) {
    this.#client = client;
  }

  /** One conversation after another, the last of them begun after all restarts. */
  async customer(n: number): Promise<Conversation[]> {
    const conversations: Conversation[] = [];
    for (let last = false; !last; ) {
      last = this.isEnough;
      const session = await this.#client.open();
      this.requests += 1;
      const following = this.#follow(session);
      following.catch(() => {}); // asked for below
      const said: Said[] = [];
      for (let turn = 0; turn < messagesPerConversation; turn++) {
        const text = `${questions[turn % questions.length]} (${n}, ${turn})`;
        const asStream = (n + turn) % 2 === 0;
        const answer = asStream
          ? await this.#stream(session, text)
          : await this.#say(session, text);
        said.push({ text, answer });
        this.answers += 1;
      }
      conversations.push({ session, said, events: await following });
    }
    return conversations;
  }

  async #say(session: OpenSession, text: string): Promise<string> {
    this.requests += 1;
    const { status, body } = await this.#client.say(session, text, randomUUID());
    if (status !== 200) throw new Error(`A message got ${status}: ${JSON.stringify(body)}`);
    return String(body.message);
  }

  async #stream({ id, token }: OpenSession, message: string): Promise<string> {
    this.requests += 1;
    const reader = await EventReader.open(`${this.#client.address}/api/sessions/${id}/messages`, {
      headers: { authorization: `Bearer ${token}`, 'idempotency-key': randomUUID() },
      body: { message },
    });
    const reply = (await reader.all()).at(-1);
    reader.leave();
    if (reply?.event !== 'reply') throw new Error(`A stream ended: ${JSON.stringify(reply)}`);
    return String(reply.data.message);
  }

  /** Reads the session's events from the first on, again and again from where it was, to the last turn. */
  async #follow({ id, token }: OpenSession): Promise<ReceivedEvent[]> {
    const seen: ReceivedEvent[] = [];
    const completed = () => seen.filter(({ event }) => event === 'turn.completed').length;
    while (completed() < messagesPerConversation) {
      this.requests += 1;
      const before = seen.length;
      const reader = await EventReader.open(`${this.#client.address}/api/sessions/${id}/stream`, {
        headers: { authorization: `Bearer ${token}`, 'last-event-id': seen.at(-1)?.id ?? '0' },
      });
      let left = messagesPerConversation - completed();
      const isLast = ({ event }: ReceivedEvent) => event === 'turn.completed' && --left === 0;
      // Its server may end it; then another one goes on.
      await reader.until(isLast).catch(() => (this.resumed += 1));
      reader.leave();
      const live = reader.events.filter(({ event }) => event !== 'server.closing');
      if (live.length === 0 && !reader.isOver) throw new Error(`Nothing after ${before} events.`);
      seen.push(...live);
    }
    return seen;
  }
}

interface Conversation {
  readonly session: OpenSession;
  readonly said: readonly Said[];
  readonly events: readonly ReceivedEvent[];
}

const rolesAndTexts = (history: readonly StoredMessage[]) =>
  history.map(({ role, content }) => [role, content.text]);
const exchange = ({ text, answer }: Said) => [
  ['user', text],
  ['assistant', answer],
];

/** Redis, replicas and load balancer as `SESSION_STORE_TYPE=redis docker compose up -d` starts them. */
async function composed() {
  const { services } = composeFile('docker-compose.yml', { SESSION_STORE_TYPE: 'redis' });
  const { replica, redis: store } = services;
  const redis = await startRedis({ args: (store?.command ?? []).slice(1) });
  const dns = await DockerDns.start();
  const env = {
    ...replica?.environment,
    REDIS_URL: redis.url,
    // All customers are one client here, and send more than one would.
    RATE_LIMIT_ENABLED: 'false',
    LOG_LEVEL: 'warn',
  };
  const replicas = loopbackAddresses(replica?.deploy?.replicas ?? 0).map(
    (address) => new Replica(address, dns, env),
  );
  await Promise.all(replicas.map((one) => one.start()));
  const balancer = await LoadBalancer.start({ config: 'plain.conf', dns });
  return { redis, replicas, balancer };
}

const why = process.platform !== 'linux' ? 'Linux' : nginx === undefined ? 'nginx' : undefined;

describe('what Compose says for Redis, on real processes', () => {
  it.skipIf(why !== undefined)(
    'is restarted one after the other under load: each request succeeds at its first attempt (nginx, on Linux)',
    async () => {
      const { redis, replicas, balancer } = await composed();
      await using _ = redis;
      expect(replicas).toHaveLength(3);
      const client = new ServerClient(`http://127.0.0.1:${balancer.port}`);
      const traffic = new Traffic(client);
      let isOver = false;
      const talking = Promise.allSettled(
        Array.from({ length: customers }, (_, n) => traffic.customer(n)),
      ).finally(() => {
        isOver = true;
      });
      const answered = (count: number) =>
        expect.poll(() => isOver || traffic.answers >= count, { timeout: 300_000 }).toBe(true);
      const codes: (number | null)[] = [];
      const restarting = (async () => {
        for (let n = 0; n < rounds * replicas.length; n++) {
          await answered(traffic.answers + answersBetween);
          const replica = replicas[n % replicas.length] as Replica;
          codes.push(await replica.stop());
          await answered(traffic.answers + answersBetween);
          await replica.start();
        }
        traffic.isEnough = true;
      })();
      const [ended] = await Promise.all([talking, restarting]);
      const failures = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
      expect(failures).toEqual([]);
      expect(codes).toEqual(Array.from({ length: rounds * replicas.length }, () => 0));

      const conversations = ended.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
      await Promise.all(
        conversations.map(async ({ session, said, events }) => {
          expect(rolesAndTexts(await client.history(session))).toEqual(said.flatMap(exchange));
          const { token } = session;
          const { body } = await client.request('GET', `/api/sessions/${session.id}`, { token });
          expect(body.message_count).toBe(messagesPerConversation);
          expect(events.map(({ id }) => Number(id))).toEqual(events.map((_, at) => at + 1));
        }),
      );
      const again = balancer.attempts().filter(({ length }) => length > 1).length;
      console.log(
        `${codes.length} restarts, ${conversations.length} conversations, ${traffic.answers} messages, ` +
          `${traffic.requests} requests: none failed, ${again} were passed on to another replica, ` +
          `${traffic.resumed} streams resumed`,
      );
      // The restarts were felt, and not by customers.
      expect(again).toBeGreaterThan(0);
    },
  );
});
