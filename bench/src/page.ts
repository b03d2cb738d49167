import type { Result } from './experiment.ts';
import { table } from './report.ts';

export interface Circumstances {
  readonly node: string;
  readonly platform: string;
  readonly date: string;
}

/** What there are figures of: a store, what protects it, or the server; in this order on the page. */
export const parts = ['memory', 'identity', 'redis', 'topologies', 'encryption', 'server'] as const;

export type Part = (typeof parts)[number];

const headings = {
  memory: '## In memory',
  identity: '## Identity',
  redis: '## On Redis',
  topologies: '## On several Redis servers',
  encryption: '## Encryption',
  server: '## The server',
} as const;

/**
 * `docs/benchmarks.md`. A part that was not measured this time keeps what it has on the
 * present page.
 */
export function page(
  results: Readonly<Partial<Record<Part, readonly Result[]>>>,
  circumstances: Circumstances,
  present: string,
): string {
  const section = (part: Part) => {
    const measured = results[part];
    return measured === undefined
      ? partOf(present, part)
      : `${headings[part]}\n\n${origin(part, circumstances)}\n\n${table(measured)}\n\n${remarks[part]}`;
  };
  const texts = [intro, ...parts.map(section)].filter((text) => text !== '');
  return `${texts.map((text) => text.trim()).join('\n\n')}\n`;
}

function partOf(present: string, part: Part): string {
  const begin = present.indexOf(headings[part]);
  if (begin < 0) return '';
  const end = present.indexOf('\n## ', begin);
  return present.slice(begin, end < 0 ? undefined : end);
}

function origin(part: Part, { node, platform, date }: Circumstances): string {
  return `\`npm run bench -- --only ${part} --write\`, on ${date}, with Node ${node} on ${platform}.`;
}

const intro = `# Benchmarks

\`npm run bench -- --write\` writes this page, \`--only memory\`, \`identity\`, \`redis\`, \`topologies\`, \`encryption\`
or \`server\` a part of it. Each figure is the median of five rounds in which the figures of a row take turns.
Compare figures within a row: between machines, and between runs, they differ.

\`npm run bench -- --profile\` shows where the time of a plain turn goes, function by function;
with \`--only redis\` also command by command, and with \`--only server\` of an answer in memory, part by
part. \`--quick\` only tries whether everything runs; \`--json\`
prints the results for a program.`;

const remarks = {
  memory: `Each figure is the CPU time of one operation, of the whole process with its garbage collector.
Each store has a process of its own, and ids are strings of their own, as a request brings them.

A million sessions, asked for at random, are in no cache of the processor. That alone makes a bare Map
several times slower, which the reference row shows; the row behind \`get\` shows what the store adds,
which is the way from the Map to the session. A turn among so many also pays for V8's collections of
the young generation, each of which looks through all pages of the old one, over a gigabyte here. A
larger young generation makes them rarer: give it to a process that holds hundreds of thousands of
sessions.`,
  identity: `Each figure is the CPU time of \`authenticate\` on sessions in memory, the check of the token alone and
with the fingerprint of the client, which is the one that the session is bound to. User-Agents have 70 to
150 characters, and half of the addresses are of IPv6. What was seen before is remembered (1,000 User-Agents
and 10,000 addresses a process); where the User-Agent is new, so is the address, in its network.`,
  redis: `A plain turn appends two messages of 60 bytes and counts one; sessions have 1 KB of state, 200 of
them take turns, 50 at once, from one process on one connection. Each row has Redis processes of its
own, on the same machine, without persistence.

- **The limit** of a turn is two script calls, one after the other, with as many bytes of arguments and
  of replies as that turn's begin and commit, by the same client with the same settings, and Lua that
  only returns a string. Limit A belongs to turns whose state the process knows, so that begin need not
  send it; limit B to turns that change the state, of two instances in turn, so that each begin sends
  the state that the other one wrote. Both have all arguments in one and one string as the reply; with
  the turn's own arguments and a reply of as many parts the protocol adds bytes, and either side work.
- **Equal work** is what one would put together without Holdfast: ioredis, the mutex of redis-semaphore,
  the session as AES-256-GCM encrypted JSON that is read, changed and written, the two messages encrypted
  and pushed to a list, and both keys' expiry; the writes go in one pipeline. Holdfast's side is
  encrypted too.
- **One session**: the order of asking is fixed by letting each writer ask when the one before stands in
  the queue, while a turn holds the session; then the order of the messages must be the same.
- **Tracing** is looked at in 101 rounds of 1,000 turns each, every other one in reverse order, and its ratios are
  the medians of the rounds’ own: five rounds differ by more than what is looked for.
- **What is kept**: frozen sessions of 1 KB that are read again and again; the GET brings the same session's JSON.
- **Visits** are what pages and turns do: sessions by Zipf's law (the n-th is visited 1 / n times as often), 95 of 100
  only read. Bytes are what Redis sends to all processes, messages included. Without an L1 nothing of a session stays
  in an instance beyond a turn.
- **Tuning**: what [operations.md](operations.md) is based on.
- **Counts and cleaning**: sessions of 100 bytes without messages; the time of one call, or for
  \`cleanupExpired\` of one session that it removes.
- **Memory** is by how much \`used_memory\` grows when sessions are created and have their turns, indexes
  and all. The JSON is what callers gave: id, state, role and content of messages, key and value of
  outcomes; not what was added, as the messages' ids, numbers and times.`,
  topologies: `Servers, replicas and the client share one machine's cores, so that a cluster's three primaries are no
three machines: the row says what the client pays for finding the right one. Turns as in the part before.
A failover has servers of its own each time: three sentinels that call a primary dead after 1 s, and a cluster
with \`cluster-node-timeout 2000\`, whose votes are part of the time; the client tries again every 10 ms.`,
  encryption: `CPU time of encrypting one record and decrypting it again, here the median of 21 rounds. The bare pair of calls is
\`createCipheriv\` and \`createDecipheriv\` with one key and one nonce that is ready, without additional data
and without an envelope. The codec draws a nonce, binds the record to its place and finds the key of its
session, of 200 sessions that take turns.`,
  server: `Customers' questions (\`packages/support-agent/evaluation/questions.json\`) go in turn to 200 sessions,
each as a POST with an idempotency key, and are answered by the local model as an event stream. The
echo is a route of Fastify without logs, hooks or a schema that parses JSON and sends it back; its JSON has as many
bytes as the median answer. The bare turn stores what that answer stored, in as many commits and with its
live events, under a key too, in a route as bare as the echo's: no customer is checked, nothing is looked up
and nobody reads the events. Server, echo, Redis and the client are processes of their own on the same
machine; the server logs errors only, but where \`LOG_LEVEL\` is named. They share its cores: when these have
other work too, waiting for one is most of an echo's time, and ratios by the clock look better than they are. CPU time tells them apart.`,
} as const;
