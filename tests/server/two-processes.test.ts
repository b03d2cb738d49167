import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { redisForTests } from '../servers/redis-for-tests.ts';
import { type OpenSession, ServerOnRedis, type StoredMessage } from './server-on-redis.ts';

const sessionCount = 20;
const messagesPerSession = 10;
const total = sessionCount * messagesPerSession;

const questions = [
  'How long does a refund take?',
  'How long does standard delivery take?',
  'How do I earn Fern Club points?',
  'How long is the warranty on a tent?',
];

interface Acknowledged {
  readonly text: string;
  readonly key: string;
  readonly answer: string;
  /** Its first attempt may have been half done when its server died. */
  readonly repeated: boolean;
}

/** Both servers, one of which dies when half of the messages have been answered. */
class Pair {
  readonly #doomed: ServerOnRedis;
  readonly survivor: ServerOnRedis;
  #pendingAtDoomed = 0;
  #acknowledged = 0;
  /** How many requests it had not answered when it was killed. */
  cutOff: number | undefined;

  constructor(doomed: ServerOnRedis, survivor: ServerOnRedis) {
    this.#doomed = doomed;
    this.survivor = survivor;
  }

  /** Sends a message until it is answered, under one key: first to one server, then to the other. */
  async say(session: OpenSession, text: string, atDoomed: boolean): Promise<Acknowledged> {
    const key = randomUUID();
    const isRunning = this.cutOff === undefined;
    const first = atDoomed ? await this.#sayToDoomed(session, text, key) : undefined;
    const answer = first ?? (await answerOf(this.survivor, session, text, key));
    this.#acknowledged += 1;
    this.#killInTheMiddle();
    const repeated = atDoomed && isRunning && first === undefined;
    return { text, key, answer, repeated };
  }

  /** `undefined` when it ended first. */
  async #sayToDoomed(session: OpenSession, text: string, key: string): Promise<string | undefined> {
    this.#pendingAtDoomed += 1;
    this.#killInTheMiddle();
    try {
      return await answerOf(this.#doomed, session, text, key);
    } catch (error) {
      // What `fetch` throws when the connection ends, or cannot be made.
      if (this.cutOff === undefined || !(error instanceof TypeError)) throw error;
      return undefined;
    } finally {
      this.#pendingAtDoomed -= 1;
    }
  }

  #killInTheMiddle(): void {
    const isMiddle = this.#acknowledged >= total / 2 && this.#pendingAtDoomed >= 5;
    if (!isMiddle || this.cutOff !== undefined) return;
    this.cutOff = this.#pendingAtDoomed;
    this.#doomed.process.send('SIGKILL');
  }
}

async function answerOf(
  server: ServerOnRedis,
  session: OpenSession,
  text: string,
  key: string,
): Promise<string> {
  const { status, body } = await server.say(session, text, key);
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return String(body.message);
}

/** One customer: the next message is sent when the last one has been answered, at either server. */
async function converse(
  pair: Pair,
  session: OpenSession,
  { name, count }: { name: string; count: number },
): Promise<readonly Acknowledged[]> {
  const acknowledged: Acknowledged[] = [];
  for (let n = 0; n < count; n++) {
    const text = `${questions[n % questions.length]} (${name}, ${n})`;
    acknowledged.push(await pair.say(session, text, (n + name.length) % 2 === 0));
  }
  return acknowledged;
}

const textOf = ({ content }: StoredMessage) => content.text;
const rolesAndTexts = (history: readonly StoredMessage[]) =>
  history.map((message) => [message.role, textOf(message)]);
const exchange = ({ text, answer }: Acknowledged) => [
  ['user', text],
  ['assistant', answer],
];

async function expectCount(server: ServerOnRedis, session: OpenSession, count: number) {
  const path = `/api/sessions/${session.id}`;
  const { body } = await server.request('GET', path, { token: session.token });
  expect(body.message_count).toBe(count);
}

describe('two servers on one Redis', () => {
  it('keep every acknowledged message once and in order when one of them is killed', async () => {
    await using redis = await redisForTests();
    const env = {
      REDIS_SESSION_KEY_PREFIX: `two:${randomUUID()}:`,
      // How long a session stays held by the one that was killed.
      SESSION_LOCK_TIMEOUT_SECONDS: '3',
      LOG_LEVEL: 'warn',
    };
    const [doomed, survivor] = await Promise.all([
      ServerOnRedis.start(redis.url, env),
      ServerOnRedis.start(redis.url, env),
    ]);
    const pair = new Pair(doomed, survivor);
    const opened = await Promise.all(
      Array.from({ length: sessionCount }, (_, n) => (n % 2 === 0 ? doomed : survivor).open()),
    );
    const [own, shared] = [opened.slice(0, sessionCount / 2), opened.slice(sessionCount / 2)];
    const half = messagesPerSession / 2;
    const [alone, together] = await Promise.all([
      Promise.all(own.map((session) => converse(pair, session, { name: 'a', count: 10 }))),
      Promise.all(
        shared.map((session) =>
          Promise.all([
            converse(pair, session, { name: 'a', count: half }),
            converse(pair, session, { name: 'bb', count: half }),
          ]),
        ),
      ),
    ]);
    expect(pair.cutOff).toBeGreaterThanOrEqual(5);
    expect([...alone, ...together.flat()].flat()).toHaveLength(total);

    // One customer a session: the conversation is what was acknowledged, and nothing else.
    for (const [n, session] of own.entries()) {
      const said = alone[n] ?? [];
      const history = await survivor.history(session);
      expect(rolesAndTexts(history)).toEqual(said.flatMap(exchange));
      for (const [at, { seq }] of history.entries()) {
        expect(seq).toBeGreaterThan(history[at - 1]?.seq ?? 0);
      }
      await expectCount(survivor, session, messagesPerSession);
    }

    // Two customers at once in a session: each one's messages in order, each with its answer.
    for (const [n, session] of shared.entries()) {
      const history = await survivor.history(session);
      const [users, assistants] = ['user', 'assistant'].map((wanted) =>
        history.filter(({ role }) => role === wanted),
      );
      expect([users?.length, assistants?.length]).toEqual([messagesPerSession, messagesPerSession]);
      for (const said of together[n] ?? []) {
        const texts = said.map(({ text }) => text);
        expect(users?.map(textOf).filter((text) => texts.includes(text))).toEqual(texts);
        for (const message of said) {
          const at = history.findIndex((stored) => textOf(stored) === message.text);
          // Where the killed server had stored the question, others may have come before the answer.
          const after = history.slice(at + 1, message.repeated ? undefined : at + 2);
          expect(rolesAndTexts(after)).toContainEqual(['assistant', message.answer]);
        }
      }
      await expectCount(survivor, session, messagesPerSession);
    }

    // A repeat of what was answered changes nothing, and each session takes the next message.
    await Promise.all(
      opened.map(async (session, n) => {
        const last = [...alone, ...together.map((both) => both.flat())][n]?.at(-1);
        if (last === undefined) throw new Error('Nothing was said.');
        expect(await answerOf(survivor, session, last.text, last.key)).toBe(last.answer);
        await expectCount(survivor, session, messagesPerSession);
        await answerOf(survivor, session, 'Is anybody still there?', randomUUID());
        await expectCount(survivor, session, messagesPerSession + 1);
        const newest = (await survivor.history(session)).slice(-2);
        expect(newest.map(({ role }) => role)).toEqual(['user', 'assistant']);
        expect(newest[0]?.content.text).toBe('Is anybody still there?');
      }),
    );
  });
});
