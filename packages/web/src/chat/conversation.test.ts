import { beforeEach, describe, expect, it } from 'vitest';
import {
  answer,
  created,
  deleted,
  json,
  offline,
  pending,
  problem,
  said,
} from './testing/fake-server.ts';
import { Scene } from './testing/scene.ts';
import { NOTICE } from './wording.ts';

let scene: Scene;
let server: Scene['server'];

beforeEach(() => {
  scene = new Scene();
  server = scene.server;
});

describe('sending', () => {
  it('creates a session with the first message only, and keeps its id but not its token', async () => {
    server.replies = [created('s-1'), answer('Hi'), answer('Sure')];
    await scene.conversation.load();
    expect(server.lines).toEqual([]);
    await scene.conversation.send('Hello');
    await scene.conversation.send('Help?');
    expect(server.lines).toEqual(['POST ', 'POST /s-1/messages', 'POST /s-1/messages']);
    expect(server.sent[1]?.body).toEqual({ message: 'Hello' });
    expect(server.sent.every(({ init }) => init.credentials === 'same-origin')).toBe(true);
    expect(scene.shown).toEqual(['user: Hello', 'assistant: Hi', 'user: Help?', 'assistant: Sure']);
    expect(scene.session.read()).toBe('s-1');
    expect(JSON.stringify(scene.conversation.state)).not.toContain('secret');
  });

  it('takes messages while an answer is awaited, and puts each answer below its own', async () => {
    server.replies = [created('s-1'), answer('One'), answer('Two')];
    const both = [scene.conversation.send('First'), scene.conversation.send('Second')];
    expect(scene.shown).toEqual(['user: First', 'user: Second', '[waiting]']);
    await Promise.all(both);
    expect(server.sent.slice(1).map(({ key }) => key)).toEqual(['key-1', 'key-2']);
    expect(scene.shown).toEqual([
      'user: First',
      'assistant: One',
      'user: Second',
      'assistant: Two',
    ]);
  });

  it('waits for nothing when a person has taken over', async () => {
    server.replies = [created('s-1'), answer('', { requires_escalation: true })];
    await scene.conversation.send('Hello');
    expect(scene.shown).toEqual(['user: Hello']);
    expect(scene.conversation.state.status).toBe('handed_over');
  });

  it('tells a listener of each change until it leaves', async () => {
    server.replies = [created('s-1'), answer('Hi'), answer('Sure')];
    const seen: number[] = [];
    const leave = scene.conversation.subscribe(({ entries }) => seen.push(entries.length));
    await scene.conversation.send('Hello');
    const before = seen.length;
    leave();
    await scene.conversation.send('Help?');
    expect([seen[0], seen.at(-1)]).toEqual([0, 2]);
    expect(seen).toHaveLength(before);
  });
});

describe('retry', () => {
  it('resends under the same key after a network failure, and then shows the answer once', async () => {
    scene.open('s-1');
    server.replies = [offline, offline, answer('Hi')];
    await scene.conversation.send('Hello');
    expect(scene.failed).toMatchObject([
      { text: 'Hello', reason: 'No answer: the connection failed.' },
    ]);
    await scene.conversation.retry('key-1');
    expect(scene.failed).toHaveLength(1);
    await scene.conversation.retry('key-1');
    expect(server.sent.map(({ key }) => key)).toEqual(['key-1', 'key-1', 'key-1']);
    expect(server.sent.map(({ body }) => body)).toEqual(Array(3).fill({ message: 'Hello' }));
    expect(scene.shown).toEqual(['user: Hello', 'assistant: Hi']);
    expect(scene.failed).toEqual([]);
  });

  it('keeps the key when a session could not even be created', async () => {
    server.replies = [offline, created('s-1'), answer('Hi')];
    await scene.conversation.send('Hello');
    await scene.conversation.retry('key-1');
    expect(server.lines).toEqual(['POST ', 'POST ', 'POST /s-1/messages']);
    expect(server.sent[2]?.key).toBe('key-1');
  });

  it('treats an unreadable reply as a failure that can be retried', async () => {
    scene.open('s-1');
    server.replies = [() => new Response('<html>'), () => json({ nothing: true }), answer('Hi')];
    await scene.conversation.send('Hello');
    await scene.conversation.retry('key-1');
    expect(scene.failed).toHaveLength(1);
    await scene.conversation.retry('key-1');
    expect(new Set(server.sent.map(({ key }) => key))).toEqual(new Set(['key-1']));
    expect(scene.shown).toEqual(['user: Hello', 'assistant: Hi']);
  });

  it('puts the message where the server will have it: last', async () => {
    scene.open('s-1');
    server.replies = [problem(503), answer('Two'), answer('One')];
    await scene.conversation.send('First');
    await scene.conversation.send('Second');
    await scene.conversation.retry('key-1');
    expect(scene.shown).toEqual([
      'user: Second',
      'assistant: Two',
      'user: First',
      'assistant: One',
    ]);
  });

  it('does nothing for a message that has not failed', async () => {
    server.replies = [created('s-1'), answer('Hi')];
    const sending = scene.conversation.send('Hello');
    await scene.conversation.retry('key-1');
    await sending;
    await scene.conversation.retry('key-1');
    expect(server.sent).toHaveLength(2);
  });
});

describe('loading', () => {
  it('shows the history of the stored session', async () => {
    scene.open('s-1');
    server.history = said('Hello', 'Hi');
    const loading = scene.conversation.load();
    expect(scene.conversation.state).toMatchObject({ loading: true, open: true });
    await loading;
    expect(server.lines).toEqual(['GET /s-1/messages?limit=50']);
    expect(scene.shown).toEqual(['user: Hello', 'assistant: Hi']);
    expect(scene.conversation.state.loading).toBe(false);
  });

  it('points out a last message that has no answer, and finds the answer on a second look', async () => {
    scene.open('s-1');
    server.history = said('Hello');
    await scene.conversation.load();
    expect(scene.shown).toEqual(['user: Hello', '[waiting]']);
    await scene.pass(1_000);
    await scene.shows('user: Hello', `(${NOTICE.unanswered})`);
    server.history = said('Hello', 'Hi');
    await scene.conversation.load();
    expect(scene.shown).toEqual(['user: Hello', 'assistant: Hi']);
  });

  it('says when older messages were left out, and brings them', async () => {
    scene.open('s-1');
    const messages = Array.from({ length: 50 }, (_, index) => ({
      seq: index + 7,
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: 'x',
    }));
    server.histories = [() => json({ messages, next_before: 7 })];
    await scene.conversation.load();
    expect(scene.shown[0]).toBe(`(${NOTICE.shortened})`);
    server.histories = [offline];
    await scene.conversation.loadEarlier();
    expect(scene.shown[0]).toBe(`(${NOTICE.notEarlier})`);
    server.history = said('One', 'Two');
    await scene.conversation.loadEarlier();
    expect(server.lines.at(-1)).toBe('GET /s-1/messages?limit=50&before=7');
    expect(scene.shown.slice(0, 3)).toEqual(['user: One', 'assistant: Two', 'user: x']);
    expect(scene.shown).toHaveLength(52);
  });

  it('leaves no hole where newer ones have come before the older ones that were asked for', async () => {
    scene.open('s-1');
    const page = (seq: number) => [{ seq, role: 'assistant', content: `No. ${seq}` }];
    const late = pending();
    server.histories = [
      () => json({ messages: page(9), next_before: 9 }),
      late.reply,
      () => json({ messages: page(500), next_before: 500 }),
    ];
    await scene.conversation.load();
    const loading = scene.conversation.loadEarlier();
    await scene.conversation.load();
    late.arrive(json({ messages: page(1), next_before: null }));
    await loading;
    expect(scene.shown).toEqual([`(${NOTICE.shortened})`, 'assistant: No. 500']);
  });

  it('takes no older answer after a newer one', async () => {
    scene.open('s-1');
    const late = pending();
    server.histories = [late.reply];
    const loading = scene.conversation.load();
    await expect.poll(() => server.lines).toHaveLength(1);
    server.session = { status: 'handed_over', version: 2 };
    scene.conversation.checkForPerson(true);
    await expect.poll(() => scene.conversation.state.status).toBe('handed_over');
    late.arrive(json({ messages: [], next_before: null }));
    await loading;
    expect(scene.conversation.state.status).toBe('handed_over');
  });

  it('calls nothing unread on account of an older question that fails after a newer answer', async () => {
    scene.open('s-1');
    const late = pending();
    server.histories = [late.reply];
    server.history = said('Hello', 'Hi');
    const loading = scene.conversation.load();
    await expect.poll(() => server.lines).toHaveLength(1);
    server.session = { version: 2 };
    scene.conversation.checkForPerson(true);
    await expect.poll(() => server.lines).toHaveLength(2);
    await expect.poll(() => scene.shown).toContain('assistant: Hi');
    late.arrive(problem(503)());
    await loading;
    expect(scene.shown).toEqual(['user: Hello', 'assistant: Hi']);
  });

  it('takes no answer from before a message was left to a person', async () => {
    scene.open('s-1');
    await scene.conversation.load();
    const late = pending();
    server.histories = [late.reply];
    server.session = { version: 2 };
    scene.conversation.checkForPerson(true);
    await expect.poll(() => server.lines).toHaveLength(2);
    server.replies = [answer('')];
    await scene.conversation.send('Is anybody there?');
    expect(scene.conversation.state.status).toBe('handed_over');
    late.arrive(json({ messages: said('Hello', 'Hi'), next_before: null }));
    await expect.poll(() => scene.shown).toContain('assistant: Hi');
    expect(scene.conversation.state.status).toBe('handed_over');
  });

  it('asks again for what a newer question did not bring, though an older one was answered', async () => {
    scene.open('s-1');
    const late = pending();
    server.histories = [late.reply, problem(503)];
    server.history = said('Hello', 'Hi');
    const loading = scene.conversation.load();
    await expect.poll(() => server.lines).toHaveLength(1);
    server.session = { version: 2 };
    scene.conversation.checkForPerson(true);
    await expect.poll(() => scene.shown).toContain(`(${NOTICE.notLoaded})`);
    late.arrive(json({ messages: said('Hello'), next_before: null }));
    await loading;
    await expect.poll(() => scene.shown).toEqual(['user: Hello', 'assistant: Hi']);
  });

  it('keeps what it shows where what may be new cannot be read, and says so below', async () => {
    scene.open('s-1');
    server.history = said('Hello', 'Hi');
    await scene.conversation.load();
    server.session = { version: 2 };
    server.histories = [problem(503)];
    scene.conversation.checkForPerson(true);
    await scene.shows('user: Hello', 'assistant: Hi', `(${NOTICE.notUpdated})`);
    scene.conversation.checkForPerson(true);
    await scene.shows('user: Hello', 'assistant: Hi');
  });

  it('survives a failure: a message can be sent, and the rest is fetched after it', async () => {
    scene.open('s-1');
    server.histories = [offline];
    server.history = said('First', 'One', 'Second', 'Two');
    server.replies = [answer('Two')];
    await scene.conversation.load();
    expect(scene.shown).toEqual([`(${NOTICE.notLoaded})`]);
    await scene.conversation.send('Second');
    expect(scene.session.read()).toBe('s-1');
    expect(scene.shown).toEqual([
      'user: First',
      'assistant: One',
      'user: Second',
      'assistant: Two',
    ]);
  });

  it('keeps a message that was written meanwhile', async () => {
    scene.open('s-1');
    server.history = said('Hello', 'Hi');
    server.replies = [answer('Two')];
    const loading = scene.conversation.load();
    const sending = scene.conversation.send('Second');
    await loading;
    expect(scene.shown).toEqual(['user: Hello', 'assistant: Hi', 'user: Second', '[waiting]']);
    await sending;
    expect(scene.shown.at(-1)).toBe('assistant: Two');
  });
});

describe('a session that is gone', () => {
  const gone = [
    [401, 'INVALID_TOKEN'],
    [404, 'SESSION_NOT_FOUND'],
    [410, 'SESSION_GONE'],
  ] as const;

  it.each(gone)(
    'starts afresh with a notice when a page opens on a %i %s',
    async (status, code) => {
      scene.open('s-1');
      server.histories = [problem(status, code)];
      await scene.conversation.load();
      expect(scene.shown).toEqual([`(${NOTICE.expired})`]);
      expect(scene.session.read()).toBeNull();
      expect(scene.conversation.state.open).toBe(false);
      expect(server.lines).toEqual(['GET /s-1/messages?limit=50']);
    },
  );

  it.each(gone)('carries a message over into a new one on a %i %s', async (status, code) => {
    scene.open('s-1');
    server.replies = [answer('Hi'), problem(status, code), created('s-2'), answer('Still here')];
    await scene.conversation.send('Hello');
    await scene.conversation.send('Are you there?');
    expect(server.lines.slice(1)).toEqual(['POST /s-1/messages', 'POST ', 'POST /s-2/messages']);
    expect(server.sent[3]).toMatchObject({ key: 'key-2', body: { message: 'Are you there?' } });
    expect(scene.session.read()).toBe('s-2');
    expect(scene.shown).toEqual([
      'user: Hello',
      'assistant: Hi',
      `(${NOTICE.expired})`,
      'user: Are you there?',
      'assistant: Still here',
    ]);
  });

  it('carries a message over when this browser no longer matches the session', async () => {
    scene.open('s-1');
    server.replies = [problem(403, 'FINGERPRINT_MISMATCH'), created('s-2'), answer('Hi')];
    await scene.conversation.send('Hello');
    expect(server.lines).toEqual(['POST /s-1/messages', 'POST ', 'POST /s-2/messages']);
    expect(scene.session.read()).toBe('s-2');
  });

  it('carries a message over into the one that another tab has begun by then', async () => {
    scene.open('s-1');
    const gone = () => {
      scene.session.write('s-2');
      return problem(401, 'INVALID_TOKEN')();
    };
    server.replies = [gone, answer('Hi')];
    await scene.conversation.send('Hello');
    expect(server.lines).toEqual(['POST /s-1/messages', 'POST /s-2/messages']);
    expect(scene.session.read()).toBe('s-2');
    expect(scene.shown).toEqual(['user: Hello', 'assistant: Hi']);
  });

  it('gives up, and does not loop, when the new session is refused as well', async () => {
    scene.open('s-1');
    const refused = problem(401, 'INVALID_TOKEN');
    server.replies = [refused, created('s-2'), refused];
    await scene.conversation.send('Hello');
    expect(server.sent).toHaveLength(3);
    expect(scene.failed[0]?.reason).toContain('cookie');
  });

  it.each([401, 404, 410])('is kept when somebody else on the way says %i', async (status) => {
    scene.open('s-1');
    server.histories = [() => new Response('<h1>Not here</h1>', { status })];
    await scene.conversation.load();
    expect(scene.shown).toEqual([`(${NOTICE.notLoaded})`]);
    server.replies = [() => new Response('<h1>Not here</h1>', { status }), answer('Hi')];
    await scene.conversation.send('Hello');
    expect(scene.session.read()).toBe('s-1');
    expect(scene.failed).toMatchObject([{ text: 'Hello' }]);
    expect(scene.failed[0]?.reason).not.toContain('cookie');
    await scene.conversation.retry('key-1');
    expect(scene.shown).toEqual(['user: Hello', 'assistant: Hi']);
  });

  it.each([403, 429, 500, 503])('keeps the session on a %i', async (status) => {
    scene.open('s-1');
    server.replies = [problem(status)];
    await scene.conversation.send('Hello');
    expect(scene.session.read()).toBe('s-1');
    expect(scene.failed[0]?.reason).not.toContain('internal');
  });
});

describe('ending', () => {
  it('deletes the session, and the next message begins another', async () => {
    scene.open('s-1');
    server.replies = [answer('Hi'), deleted, created('s-2'), answer('Yo')];
    await scene.conversation.send('Hello');
    await scene.conversation.end();
    expect(scene.shown).toEqual([`(${NOTICE.ended})`]);
    expect(scene.conversation.state.open).toBe(false);
    await scene.conversation.send('Again');
    expect(server.lines).toEqual([
      'POST /s-1/messages',
      'DELETE /s-1',
      'POST ',
      'POST /s-2/messages',
    ]);
  });

  it('leaves alone what another tab has begun meanwhile', async () => {
    scene.open('s-1');
    const late = pending();
    server.replies = [late.reply];
    const ending = scene.conversation.end();
    await Promise.resolve();
    scene.session.write('s-2');
    late.arrive(deleted());
    await ending;
    expect(scene.session.read()).toBe('s-2');
  });

  it('ends what is on the screen, and shows then what another tab has begun before', async () => {
    scene.open('s-1');
    server.replies = [pending().reply, problem(404, 'SESSION_NOT_FOUND')];
    void scene.conversation.send('Hello');
    await expect.poll(() => server.sent).toHaveLength(1);
    scene.session.write('s-2');
    server.history = said('Elsewhere', 'Hi');
    await scene.conversation.end();
    expect(server.sent.at(-1)?.line).toBe('DELETE /s-1');
    expect(scene.session.read()).toBe('s-2');
    await expect.poll(() => scene.shown).toEqual(['user: Elsewhere', 'assistant: Hi']);
  });

  it('takes a session that is already gone as ended', async () => {
    scene.open('s-1');
    server.replies = [problem(404, 'SESSION_NOT_FOUND')];
    await scene.conversation.end();
    expect(scene.shown).toEqual([`(${NOTICE.ended})`]);
  });

  it('drops an answer that arrives too late, and what was waiting behind it', async () => {
    scene.open('s-1');
    const late = pending();
    server.replies = [late.reply, deleted];
    const sending = scene.conversation.send('Hello');
    const behind = scene.conversation.send('And this');
    await Promise.resolve();
    await scene.conversation.end();
    expect(server.sent[0]?.init.signal?.aborted).toBe(true);
    late.arrive(answer('Too late')());
    await Promise.all([sending, behind]);
    expect(server.lines).toEqual(['POST /s-1/messages', 'DELETE /s-1']);
    expect(scene.shown).toEqual([`(${NOTICE.ended})`]);
    expect(scene.session.read()).toBeNull();
  });

  it('does not take up a session that was being created', async () => {
    const late = pending();
    server.replies = [late.reply];
    const sending = scene.conversation.send('Hello');
    await Promise.resolve();
    await scene.conversation.end();
    late.arrive(created('s-1')());
    await sending;
    expect(server.lines).toEqual(['POST ']);
    expect(scene.session.read()).toBeNull();
  });

  it.each([404, 503])('ignores a history that fails too late, with a %i', async (status) => {
    scene.open('s-1');
    const late = pending();
    server.histories = [late.reply];
    server.replies = [deleted];
    const loading = scene.conversation.load();
    await Promise.resolve();
    await scene.conversation.end();
    late.arrive(problem(status)());
    await loading;
    expect(scene.shown).toEqual([`(${NOTICE.ended})`]);
  });

  it('goes on to its end where a new conversation is wanted meanwhile', async () => {
    scene.open('s-1');
    const late = pending();
    server.replies = [late.reply];
    const ending = scene.conversation.end();
    await Promise.resolve();
    scene.conversation.startNew();
    const again = scene.conversation.end();
    expect(scene.conversation.state.ending).toBe(true);
    late.arrive(problem(503)());
    await Promise.all([ending, again]);
    expect(scene.conversation.state.ending).toBe(false);
    expect(server.lines).toEqual(['DELETE /s-1']);
    expect(server.sent[0]?.init.signal?.aborted).toBe(false);
    expect(scene.shown).toEqual([`(${NOTICE.notEnded})`]);
  });

  it('loses nothing when the server cannot be reached', async () => {
    scene.open('s-1');
    server.replies = [answer('Hi'), offline];
    await scene.conversation.send('Hello');
    await scene.conversation.end();
    expect(scene.shown).toEqual(['user: Hello', 'assistant: Hi', `(${NOTICE.notEnded})`]);
    expect(scene.session.read()).toBe('s-1');
  });

  it('leaves what it stopped to be retried under its key if the end fails', async () => {
    scene.open('s-1');
    const never = new Promise<Response>(() => {});
    server.replies = [() => never, offline, answer('Hi')];
    void scene.conversation.send('Hello');
    await Promise.resolve();
    await scene.conversation.end();
    expect(scene.failed[0]?.id).toBe('key-1');
    await scene.conversation.retry('key-1');
    expect(server.sent[2]?.key).toBe('key-1');
    expect(scene.shown).toEqual(['user: Hello', 'assistant: Hi']);
  });

  it('keeps a message written while the end was under way for the next conversation', async () => {
    scene.open('s-1');
    server.replies = [deleted, created('s-2'), answer('Hi')];
    const ending = scene.conversation.end();
    const sending = scene.conversation.send('New topic');
    await ending;
    expect(scene.shown).toEqual([`(${NOTICE.ended})`, 'user: New topic', '[waiting]']);
    await sending;
    expect(scene.shown.at(-1)).toBe('assistant: Hi');
    expect(scene.session.read()).toBe('s-2');
  });
});

describe('a new conversation', () => {
  it('shows nothing of the old one, and leaves that to the server', async () => {
    scene.open('s-1');
    server.history = said('Hello', 'Hi');
    server.replies = [problem(503), created('s-2'), answer('Yo')];
    await scene.conversation.load();
    await scene.conversation.send('Not sent');
    scene.conversation.startNew();
    expect(scene.conversation.state).toMatchObject({ entries: [], open: false, status: 'active' });
    await scene.conversation.send('New topic');
    expect(server.sent.map(({ line }) => line).slice(1)).toEqual(['POST ', 'POST /s-2/messages']);
    expect(scene.shown).toEqual(['user: New topic', 'assistant: Yo']);
    server.history = said('New topic', 'Yo');
    await scene.reload();
    expect(scene.shown).toEqual(['user: New topic', 'assistant: Yo']);
  });

  it('is not disturbed by an answer of the old one', async () => {
    scene.open('s-1');
    const late = pending();
    server.replies = [late.reply, created('s-2'), answer('Yo')];
    const sending = scene.conversation.send('Hello');
    await Promise.resolve();
    scene.conversation.startNew();
    late.arrive(answer('Too late')());
    await sending;
    await scene.conversation.send('New topic');
    expect(scene.shown).toEqual(['user: New topic', 'assistant: Yo']);
  });
});
