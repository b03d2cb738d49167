import { beforeEach, describe, expect, it } from 'vitest';
import { createApi } from './api.ts';
import { Conversation } from './conversation.ts';
import type { MessageEntry } from './entries.ts';
import { createSessionId, type SessionId } from './session-id.ts';
import { NOTICE } from './wording.ts';

interface Call {
  /** As `POST /s-1/messages`, the part after `/api/sessions`. */
  line: string;
  key: string | null;
  body: unknown;
  init: RequestInit;
}
type Reply = () => Response | Promise<Response>;

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
const created = (id: string) => () => json({ session_id: id, token: 'secret' }, 201);
const answer = (message: string) => () =>
  json({ message, sources: [], requires_escalation: false });
const problem = (status: number) => () => json({ status, code: 'x', detail: 'internal' }, status);
const deleted = () => new Response(null, { status: 204 });
const offline = () => Promise.reject(new TypeError('Failed to fetch'));
/** A reply that comes when `arrive` says so. */
const pending = () => {
  let arrive: (response: Response) => void = () => {};
  const response = new Promise<Response>((resolve) => {
    arrive = resolve;
  });
  return { reply: () => response, arrive: (late: Response) => arrive(late) };
};
const history = (...texts: string[]) => {
  const role = (index: number) => (index % 2 === 0 ? 'user' : 'assistant');
  const messages = texts.map((text, index) => ({
    seq: index + 1,
    role: role(index),
    content: { text },
  }));
  return () => json({ messages });
};

let calls: Call[];
let replies: Reply[];
let session: SessionId;
let conversation: Conversation;

beforeEach(() => {
  calls = [];
  replies = [];
  session = createSessionId(null);
  let keys = 0;
  const api = createApi(async (url, init) => {
    calls.push({
      line: `${init.method} ${url.replace('/api/sessions', '')}`,
      key: new Headers(init.headers).get('idempotency-key'),
      body: typeof init.body === 'string' ? JSON.parse(init.body) : undefined,
      init,
    });
    const reply = replies.shift();
    if (!reply) throw new Error(`unexpected call of ${url}`);
    return reply();
  });
  conversation = new Conversation({ api, session, newKey: () => `key-${++keys}` });
});

const lines = () => calls.map(({ line }) => line);
const shown = () =>
  conversation.state.entries.map((entry) =>
    entry.kind === 'notice' ? `(${entry.text})` : `${entry.role}: ${entry.text}`,
  );
const failed = () =>
  conversation.state.entries.filter(
    (entry): entry is MessageEntry => entry.kind === 'message' && entry.delivery === 'failed',
  );

describe('sending', () => {
  it('creates a session with the first message only, and keeps its id but not its token', async () => {
    replies = [created('s-1'), answer('Hi'), answer('Sure')];
    await conversation.load();
    expect(lines()).toEqual([]);
    await conversation.send('Hello');
    await conversation.send('Help?');
    expect(lines()).toEqual(['POST ', 'POST /s-1/messages', 'POST /s-1/messages']);
    expect(calls[1]?.body).toEqual({ message: 'Hello' });
    expect(calls.every(({ init }) => init.credentials === 'same-origin')).toBe(true);
    expect(shown()).toEqual(['user: Hello', 'assistant: Hi', 'user: Help?', 'assistant: Sure']);
    expect(session.read()).toBe('s-1');
    expect(JSON.stringify(conversation.state)).not.toContain('secret');
  });

  it('takes messages while an answer is awaited, and puts each answer below its own', async () => {
    replies = [created('s-1'), answer('One'), answer('Two')];
    const both = [conversation.send('First'), conversation.send('Second')];
    expect(shown()).toEqual(['user: First', 'user: Second']);
    await Promise.all(both);
    expect(calls.slice(1).map(({ key }) => key)).toEqual(['key-1', 'key-2']);
    expect(shown()).toEqual(['user: First', 'assistant: One', 'user: Second', 'assistant: Two']);
  });

  it('says so when there is no answer, as when a person has taken over', async () => {
    replies = [created('s-1'), answer('')];
    await conversation.send('Hello');
    expect(shown()).toEqual(['user: Hello', `(${NOTICE.unanswered})`]);
  });

  it('tells a listener of each change until it leaves', async () => {
    replies = [created('s-1'), answer('Hi'), answer('Sure')];
    const seen: number[] = [];
    const leave = conversation.subscribe(({ entries }) => seen.push(entries.length));
    await conversation.send('Hello');
    leave();
    await conversation.send('Help?');
    expect(seen).toEqual([0, 1, 1, 2]);
  });
});

describe('retry', () => {
  it('resends under the same key after a network failure, and then shows the answer once', async () => {
    session.write('s-1');
    replies = [offline, offline, answer('Hi')];
    await conversation.send('Hello');
    expect(failed()).toMatchObject([
      { text: 'Hello', reason: 'No answer: the connection failed.' },
    ]);
    await conversation.retry('key-1');
    expect(failed()).toHaveLength(1);
    await conversation.retry('key-1');
    expect(calls.map(({ key }) => key)).toEqual(['key-1', 'key-1', 'key-1']);
    expect(calls.map(({ body }) => body)).toEqual(Array(3).fill({ message: 'Hello' }));
    expect(shown()).toEqual(['user: Hello', 'assistant: Hi']);
    expect(failed()).toEqual([]);
  });

  it('keeps the key when a session could not even be created', async () => {
    replies = [offline, created('s-1'), answer('Hi')];
    await conversation.send('Hello');
    await conversation.retry('key-1');
    expect(lines()).toEqual(['POST ', 'POST ', 'POST /s-1/messages']);
    expect(calls[2]?.key).toBe('key-1');
  });

  it('treats an unreadable reply as a failure that can be retried', async () => {
    session.write('s-1');
    replies = [() => new Response('<html>'), () => json({ nothing: true }), answer('Hi')];
    await conversation.send('Hello');
    await conversation.retry('key-1');
    expect(failed()).toHaveLength(1);
    await conversation.retry('key-1');
    expect(new Set(calls.map(({ key }) => key))).toEqual(new Set(['key-1']));
    expect(shown()).toEqual(['user: Hello', 'assistant: Hi']);
  });

  it('puts the message where the server will have it: last', async () => {
    session.write('s-1');
    replies = [problem(503), answer('Two'), answer('One')];
    await conversation.send('First');
    await conversation.send('Second');
    await conversation.retry('key-1');
    expect(shown()).toEqual(['user: Second', 'assistant: Two', 'user: First', 'assistant: One']);
  });

  it('does nothing for a message that has not failed', async () => {
    replies = [created('s-1'), answer('Hi')];
    const sending = conversation.send('Hello');
    await conversation.retry('key-1');
    await sending;
    await conversation.retry('key-1');
    expect(calls).toHaveLength(2);
  });
});

describe('loading', () => {
  it('shows the history of the stored session', async () => {
    session.write('s-1');
    replies = [history('Hello', 'Hi')];
    const loading = conversation.load();
    expect(conversation.state).toMatchObject({ loading: true, open: true });
    await loading;
    expect(lines()).toEqual(['GET /s-1/messages?limit=50']);
    expect(shown()).toEqual(['user: Hello', 'assistant: Hi']);
    expect(conversation.state.loading).toBe(false);
  });

  it('points out a last message that has no answer, and finds the answer on a second look', async () => {
    session.write('s-1');
    replies = [history('Hello'), history('Hello', 'Hi')];
    await conversation.load();
    expect(shown()).toEqual(['user: Hello', `(${NOTICE.unanswered})`]);
    await conversation.load();
    expect(shown()).toEqual(['user: Hello', 'assistant: Hi']);
  });

  it('says when older messages were left out', async () => {
    session.write('s-1');
    const messages = Array.from({ length: 50 }, (_, index) => ({
      seq: index + 7,
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: 'x',
    }));
    replies = [() => json({ messages })];
    await conversation.load();
    expect(shown()[0]).toBe(`(${NOTICE.shortened})`);
  });

  it('survives a failure: a message can be sent, and the rest is fetched after it', async () => {
    session.write('s-1');
    replies = [offline, answer('Two'), history('First', 'One', 'Second', 'Two')];
    await conversation.load();
    expect(shown()).toEqual([`(${NOTICE.notLoaded})`]);
    await conversation.send('Second');
    expect(session.read()).toBe('s-1');
    expect(shown()).toEqual(['user: First', 'assistant: One', 'user: Second', 'assistant: Two']);
  });

  it('keeps a message that was written meanwhile', async () => {
    session.write('s-1');
    replies = [history('Hello', 'Hi'), answer('Two')];
    const loading = conversation.load();
    const sending = conversation.send('Second');
    await loading;
    expect(shown()).toEqual(['user: Hello', 'assistant: Hi', 'user: Second']);
    await sending;
    expect(shown().at(-1)).toBe('assistant: Two');
  });
});

describe('a session that is gone', () => {
  it.each([401, 404, 410])(
    'starts afresh with a notice when a page opens on a %i',
    async (status) => {
      session.write('s-1');
      replies = [problem(status)];
      await conversation.load();
      expect(shown()).toEqual([`(${NOTICE.expired})`]);
      expect(session.read()).toBeNull();
      expect(conversation.state.open).toBe(false);
      expect(lines()).toEqual(['GET /s-1/messages?limit=50']);
    },
  );

  it.each([401, 404, 410])('carries a message over into a new one on a %i', async (status) => {
    session.write('s-1');
    replies = [answer('Hi'), problem(status), created('s-2'), answer('Still here')];
    await conversation.send('Hello');
    await conversation.send('Are you there?');
    expect(lines().slice(1)).toEqual(['POST /s-1/messages', 'POST ', 'POST /s-2/messages']);
    expect(calls[3]).toMatchObject({ key: 'key-2', body: { message: 'Are you there?' } });
    expect(session.read()).toBe('s-2');
    expect(shown()).toEqual([
      'user: Hello',
      'assistant: Hi',
      `(${NOTICE.expired})`,
      'user: Are you there?',
      'assistant: Still here',
    ]);
  });

  it('gives up, and does not loop, when the new session is refused as well', async () => {
    session.write('s-1');
    replies = [problem(401), created('s-2'), problem(401)];
    await conversation.send('Hello');
    expect(calls).toHaveLength(3);
    expect(failed()[0]?.reason).toContain('cookie');
  });

  it.each([403, 429, 500, 503])('keeps the session on a %i', async (status) => {
    session.write('s-1');
    replies = [problem(status)];
    await conversation.send('Hello');
    expect(session.read()).toBe('s-1');
    expect(failed()[0]?.reason).not.toContain('internal');
  });
});

describe('ending', () => {
  it('deletes the session, and the next message begins another', async () => {
    session.write('s-1');
    replies = [answer('Hi'), deleted, created('s-2'), answer('Yo')];
    await conversation.send('Hello');
    await conversation.end();
    expect(shown()).toEqual([`(${NOTICE.ended})`]);
    expect(conversation.state.open).toBe(false);
    await conversation.send('Again');
    expect(lines()).toEqual(['POST /s-1/messages', 'DELETE /s-1', 'POST ', 'POST /s-2/messages']);
  });

  it('takes a session that is already gone as ended', async () => {
    session.write('s-1');
    replies = [problem(404)];
    await conversation.end();
    expect(shown()).toEqual([`(${NOTICE.ended})`]);
  });

  it('drops an answer that arrives too late, and what was waiting behind it', async () => {
    session.write('s-1');
    const late = pending();
    replies = [late.reply, deleted];
    const sending = conversation.send('Hello');
    const behind = conversation.send('And this');
    await Promise.resolve();
    await conversation.end();
    expect(calls[0]?.init.signal?.aborted).toBe(true);
    late.arrive(answer('Too late')());
    await Promise.all([sending, behind]);
    expect(lines()).toEqual(['POST /s-1/messages', 'DELETE /s-1']);
    expect(shown()).toEqual([`(${NOTICE.ended})`]);
    expect(session.read()).toBeNull();
  });

  it('does not take up a session that was being created', async () => {
    const late = pending();
    replies = [late.reply];
    const sending = conversation.send('Hello');
    await Promise.resolve();
    await conversation.end();
    late.arrive(created('s-1')());
    await sending;
    expect(lines()).toEqual(['POST ']);
    expect(session.read()).toBeNull();
  });

  it.each([404, 503])('ignores a history that fails too late, with a %i', async (status) => {
    session.write('s-1');
    const late = pending();
    replies = [late.reply, deleted];
    const loading = conversation.load();
    await Promise.resolve();
    await conversation.end();
    late.arrive(problem(status)());
    await loading;
    expect(shown()).toEqual([`(${NOTICE.ended})`]);
  });

  it('loses nothing when the server cannot be reached', async () => {
    session.write('s-1');
    replies = [answer('Hi'), offline];
    await conversation.send('Hello');
    await conversation.end();
    expect(shown()).toEqual(['user: Hello', 'assistant: Hi', `(${NOTICE.notEnded})`]);
    expect(session.read()).toBe('s-1');
  });

  it('leaves what it stopped to be retried under its key if the end fails', async () => {
    session.write('s-1');
    const never = new Promise<Response>(() => {});
    replies = [() => never, offline, answer('Hi')];
    void conversation.send('Hello');
    await Promise.resolve();
    await conversation.end();
    expect(failed()[0]?.id).toBe('key-1');
    await conversation.retry('key-1');
    expect(calls[2]?.key).toBe('key-1');
    expect(shown()).toEqual([`(${NOTICE.notEnded})`, 'user: Hello', 'assistant: Hi']);
  });

  it('keeps a message written while the end was under way for the next conversation', async () => {
    session.write('s-1');
    replies = [deleted, created('s-2'), answer('Hi')];
    const ending = conversation.end();
    const sending = conversation.send('New topic');
    await ending;
    expect(shown()).toEqual([`(${NOTICE.ended})`, 'user: New topic']);
    await sending;
    expect(shown().at(-1)).toBe('assistant: Hi');
    expect(session.read()).toBe('s-2');
  });
});
