import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import questions from '../../../packages/support-agent/evaluation/questions.json' with {
  type: 'json',
};
import type { Figures } from '../figures.ts';
import { collectYoungGarbage, concurrently, loadOf, median } from '../measuring.ts';
import { MeasuredServer } from '../redis/measured-server.ts';
import type { Begin, Measure, OptionsOf, Subject } from '../subject.ts';
import { AgentProcess } from './agent-process.ts';
import type { EchoSubjectOptions, SampleAnswer } from './echo-subject.ts';
import { type Call, HttpClient, type Received } from './http-client.ts';
import { cpuTimeOf } from './process-cpu.ts';

export interface AnswersSubjectOptions {
  readonly store: 'in_memory' | 'redis';
  /** The built server. */
  readonly main: string;
  readonly sessions: number;
  readonly atOnce: number;
  /** Whether it logs what it logs by default, and not errors alone. Default false. */
  readonly logs?: boolean;
  /** Where the server waits for an inspector; nowhere unless given. */
  readonly inspectorPort?: number | undefined;
}

/** What the agent answers; the echo answers all others. */
const agentMeasures: ReadonlySet<Measure> = new Set(['answers', 'firstByte', 'firstByteAfterEcho']);

const firstByteMeasures: ReadonlySet<Measure> = new Set([
  'firstByte',
  'echoFirstByte',
  'firstByteAfterEcho',
  'echoFirstByteAfterAnswer',
]);

interface Customer {
  readonly path: string;
  readonly authorization: string;
}

/**
 * The server with its local model and its articles, and beside it an echo; each is a process of its
 * own, and this one is the client of both.
 */
export class AnswersSubject implements Subject {
  readonly #parts: readonly { stop(): Promise<void> }[];
  readonly #agent: HttpClient;
  readonly #echo: HttpClient;
  readonly #pids: Record<'agent' | 'echo', number>;
  readonly #atOnce: number;
  readonly #customers: readonly Customer[];
  /** JSON of as many bytes as an answer's stream. */
  readonly #echoed: string;

  private constructor(
    parts: readonly { stop(): Promise<void> }[],
    { agent, echo }: { agent: HttpClient; echo: HttpClient },
    pids: Record<'agent' | 'echo', number>,
    atOnce: number,
    { customers, echoed }: { customers: readonly Customer[]; echoed: string },
  ) {
    this.#parts = parts;
    this.#agent = agent;
    this.#echo = echo;
    this.#pids = pids;
    this.#atOnce = atOnce;
    this.#customers = customers;
    this.#echoed = echoed;
  }

  static async create(
    options: AnswersSubjectOptions,
    begin: Begin<OptionsOf<'echo', EchoSubjectOptions>>,
  ): Promise<AnswersSubject> {
    const { store, main, sessions, atOnce, logs = false, inspectorPort } = options;
    const parts: { stop(): Promise<void> }[] = [];
    const settings: Record<string, string> = {
      SESSION_STORE_TYPE: store,
      LOG_LEVEL: logs ? 'info' : 'error',
    };
    if (store === 'redis') {
      const redis = await MeasuredServer.start();
      parts.unshift(redis);
      settings.REDIS_URL = redis.url;
    }
    const server = await AgentProcess.start(main, settings, inspectorPort);
    parts.unshift(server);
    const agent = new HttpClient(server.port, atOnce);
    const customers: Customer[] = [];
    await concurrently(sessions, atOnce, async () => {
      customers.push(customerOf(await agent.post({ path: '/api/sessions', body: '{}' })));
    });
    const { customer, stream } = await medianAnswer(agent, customers);
    const port = await freePort();
    const sample = await sampleOf(agent, customer, stream);
    parts.unshift(await begin({ kind: 'echo', port, sample }));
    const echo = new HttpClient(port, atOnce);
    const padding = Buffer.byteLength(stream) - '{"text":""}'.length;
    const echoed = JSON.stringify({ text: 'x'.repeat(Math.max(padding, 0)) });
    const pids = { agent: server.pid, echo: Number((await echo.get({ path: '/pid' })).text) };
    return new AnswersSubject(parts, { agent, echo }, pids, atOnce, { customers, echoed });
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    const operation = this.#operation(measure);
    const firstBytes: number[] = [];
    collectYoungGarbage();
    // One at a time where the time to the first byte is asked for: it shall not wait for others.
    const atOnce = firstByteMeasures.has(measure) ? 1 : this.#atOnce;
    const { agent, echo } = this.#pids;
    const pid = agentMeasures.has(measure) ? agent : echo;
    const before = cpuTimeOf(pid);
    const load = await loadOf(count, atOnce, async (index) => {
      firstBytes.push((await operation(index)).firstByteMs);
    });
    const serverCpu = (cpuTimeOf(pid) - before) / count;
    return { ...load, serverCpu, firstByte: median(firstBytes) * 1e6 };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#agent.close(), this.#echo.close()]);
    for (const part of this.#parts) await part.stop();
  }

  #operation(measure: Measure): (index: number) => Promise<Received> {
    const answer = async (index: number) => {
      const customer = this.#customers[index % this.#customers.length];
      if (customer === undefined) throw new Error('There are no customers.');
      const received = await this.#agent.post(ask(customer, index));
      if (!received.text.includes('event: reply')) throw new Error(`No answer: ${received.text}`);
      return received;
    };
    const echo = () => this.#echo.post({ path: '/echo', body: this.#echoed });
    switch (measure) {
      case 'answers':
      case 'firstByte':
        return answer;
      case 'echoes':
      case 'echoFirstByte':
        return echo;
      case 'firstByteAfterEcho':
        return async (index) => {
          await echo();
          return answer(index);
        };
      case 'echoFirstByteAfterAnswer':
        return async (index) => {
          await answer(index);
          return echo();
        };
      case 'streams':
        return (index) => this.#echo.post({ path: '/stream', body: askedBy(index) });
      case 'turnStreams':
        return (index) =>
          this.#echo.post({
            path: `/turn/${index % this.#customers.length}`,
            headers: { 'idempotency-key': randomUUID() },
            body: askedBy(index),
          });
      default:
        throw new Error(`Answers have no measure ${measure}.`);
    }
  }
}

function customerOf({ text }: Received): Customer {
  const { session_id: id, token } = JSON.parse(text) as { session_id: string; token: string };
  return { path: `/api/sessions/${id}/messages`, authorization: `Bearer ${token}` };
}

function ask({ path, authorization }: Customer, index: number): Call {
  return {
    path,
    headers: { authorization, accept: 'text/event-stream', 'idempotency-key': randomUUID() },
    body: askedBy(index),
  };
}

function askedBy(index: number): string {
  return JSON.stringify({ message: questions[index % questions.length]?.question });
}

/** Of the first answers to all questions the one that has as many bytes as half of them at most. */
async function medianAnswer(
  agent: HttpClient,
  customers: readonly Customer[],
): Promise<{ readonly customer: Customer; readonly stream: string }> {
  const answers = await Promise.all(
    customers.slice(0, questions.length).map(async (customer, at) => {
      const { text } = await agent.post(ask(customer, at));
      return { customer, stream: text };
    }),
  );
  const bySize = answers.sort((a, b) => a.stream.length - b.stream.length);
  const middle = bySize[Math.floor((bySize.length - 1) / 2)];
  if (middle === undefined) throw new Error('There are no customers.');
  return middle;
}

async function sampleOf(
  agent: HttpClient,
  { path, authorization }: Customer,
  stream: string,
): Promise<SampleAnswer> {
  const { text } = await agent.get({ path, headers: { authorization } });
  const { messages } = JSON.parse(text) as Pick<SampleAnswer, 'messages'>;
  const data = Array.from(stream.matchAll(/^data: (.*)$/gm), ([, json = '']) => JSON.parse(json));
  const events = data.filter(({ type }) => type !== undefined && !/^turn\./.test(type));
  return {
    stream,
    messages: messages.map(({ role, content }) => ({ role, content })),
    events: events.map(({ seq, turn_id, created_at, ...event }) => event),
    outcome: data.at(-1),
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('There is no free port.');
  return address.port;
}
