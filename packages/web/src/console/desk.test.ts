import { beforeEach, describe, expect, it } from 'vitest';
import type { Fetch } from '../http.ts';
import { keptIn } from '../storage.ts';
import { fakeStorage } from '../testing/fake-storage.ts';
import { createOperatorApi } from './api.ts';
import { Desk } from './desk.ts';
import { createOperatorKey } from './operator-key.ts';

interface Call {
  readonly line: string;
  readonly headers: Headers;
  readonly body: unknown;
  readonly init: RequestInit;
}

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
const row = (id: string, more: object = {}) => ({
  session_id: id,
  user_id: null,
  status: 'active',
  escalated: false,
  message_count: 1,
  metadata: {},
  version: 1,
  ...more,
});
const said = (...texts: string[]) =>
  texts.map((text, index) => ({ seq: index + 1, role: 'user', content: { text } }));

let calls: Call[];
let rows: ReturnType<typeof row>[];
let messages: object[];
let before: number | null;
let refuse: Response | null;
let refusePatch: Response | null;
/** Keeps back the answers to what begins so. */
let late: { readonly line: string; readonly until: Promise<void> } | null;
const tab = fakeStorage();
let keys: number;
let desk: Desk;

beforeEach(() => {
  calls = [];
  rows = [row('s-1'), row('s-2')];
  messages = said('Hello');
  before = null;
  refuse = null;
  refusePatch = null;
  late = null;
  tab.values.clear();
  keys = 0;
  desk = openDesk();
});

function openDesk(): Desk {
  return new Desk({
    connect: (key) => createOperatorApi(serve, key),
    operatorKey: createOperatorKey(tab),
    unsent: keptIn(tab, 'unsent'),
    newKey: () => {
      keys += 1;
      return `key-${keys}`;
    },
  });
}

const serve: Fetch = async (url, init) => {
  const waiting = late;
  const reply = answer(url, init);
  if (waiting !== null && calls.at(-1)?.line.startsWith(waiting.line)) await waiting.until;
  init.signal?.throwIfAborted();
  return reply;
};

/** What begins so is answered only once it is let go. */
function hold(line: string): () => void {
  let letGo = () => {};
  const until = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  late = { line, until };
  return () => {
    late = null;
    letGo();
  };
}

function answer(url: string, init: RequestInit): Response {
  const line = `${init.method} ${url.replace('/api/sessions', '')}`;
  const body = typeof init.body === 'string' ? JSON.parse(init.body) : undefined;
  calls.push({ line, headers: new Headers(init.headers), body, init });
  if (refuse !== null) return refuse.clone();
  if (line.startsWith('GET ?')) {
    const next = line.includes('cursor=') ? null : 'page-2';
    return json({ sessions: rows, next_cursor: next });
  }
  if (line.startsWith('GET ') && line.includes('/messages')) {
    return json({ messages, next_before: before });
  }
  if (line.startsWith('PATCH') && refusePatch !== null) return refusePatch.clone();
  if (line.startsWith('PATCH')) rows = [row('s-1', { ...body, version: 2 }), row('s-2')];
  if (line.startsWith('POST')) return json({ seq: 2, role: 'operator' }, 201);
  return json(rows.find(({ session_id }) => line.includes(`/${session_id}`)) ?? rows[0]);
}

const lines = () => calls.map(({ line }) => line);

describe('a transcript', () => {
  it('begins anew where lines are missing in between, so that they can be loaded', async () => {
    await desk.signIn('secret-key');
    await desk.choose('s-1');
    rows = [row('s-1', { version: 2 })];
    messages = [{ seq: 9, role: 'user', content: { text: 'Still there?' } }];
    before = 9;
    await desk.refresh();
    expect(desk.state.lines.map(({ seq }) => seq)).toEqual([9]);
    expect(desk.state.earlier).toBe(9);
  });
});

describe('a page before', () => {
  it('is left alone where the transcript has begun anew meanwhile', async () => {
    const line = (seq: number) => ({ seq, role: 'user', content: { text: 'Hello' } });
    messages = [line(9)];
    before = 9;
    await desk.signIn('secret-key');
    await desk.choose('s-1');
    messages = [line(1)];
    before = null;
    const letGo = hold('GET /s-1/messages?limit=100&before=');
    const loading = desk.loadEarlier();
    rows = [row('s-1', { version: 2 })];
    messages = [line(500)];
    before = 500;
    await desk.refresh();
    letGo();
    await loading;
    expect(desk.state.lines.map(({ seq }) => seq)).toEqual([500]);
    expect(desk.state.earlier).toBe(500);
  });

  it('is not said to be asked for again where the server is away', async () => {
    before = 9;
    await desk.signIn('secret-key');
    await desk.choose('s-1');
    refuse = Response.error();
    await desk.loadEarlier();
    expect(desk.state.sessionProblem).toBe('The server could not be reached.');
  });
});

describe('signing in', () => {
  it('sends the key with every call and a cookie with none', async () => {
    await desk.signIn('secret-key');
    await desk.choose('s-1');
    expect(desk.state).toMatchObject({ signedIn: true, sessions: [{ id: 's-1' }, { id: 's-2' }] });
    expect(calls.length).toBeGreaterThan(2);
    for (const { headers, init } of calls) {
      expect(headers.get('authorization')).toBe('Bearer secret-key');
      expect(init.credentials).toBe('omit');
    }
  });

  it('lasts through a reload of the tab, until its operator signs out', async () => {
    await desk.signIn('secret-key');
    desk = openDesk();
    await desk.resume();
    expect(desk.state.signedIn).toBe(true);
    desk.signOut();
    expect(desk.state).toMatchObject({ signedIn: false, sessions: null, session: null });
    expect([...tab.values.values()]).toEqual([]);
  });

  it.each([
    [401, 'INVALID_TOKEN'],
    [403, 'OPERATOR_ONLY'],
  ])('forgets a key that is refused with a %i %s', async (status, code) => {
    await desk.signIn('old-key');
    desk = openDesk();
    refuse = json({ status, detail: 'no', code }, status);
    await desk.resume();
    expect(desk.state).toMatchObject({
      signedIn: false,
      signInProblem: 'The server no longer takes your key. Please sign in again.',
    });
    expect([...tab.values.values()]).toEqual([]);
  });

  it('ends what is read, and nothing else, when its operator signs out or closes the page', async () => {
    await desk.signIn('secret-key');
    await desk.choose('s-1');
    calls = [];
    const [saying, reading] = [desk.say('Kari here.'), desk.refresh()];
    desk.signOut();
    expect(calls.map(({ line, init }) => [line, init.signal?.aborted, init.keepalive])).toEqual([
      ['POST /s-1/operator-messages', false, true],
      ['GET ?limit=25', true, false],
      ['GET /s-1', true, false],
    ]);
    await Promise.all([saying, reading]);
    expect(desk.state).toMatchObject({ signedIn: false, sessions: null, session: null });
  });

  it('is not ended by what was refused to another key', async () => {
    await desk.signIn('old-key');
    await desk.choose('s-1');
    const letGo = hold('POST');
    refuse = json({ code: 'OPERATOR_ONLY' }, 403);
    const saying = desk.say('Kari here.');
    refuse = null;
    desk.signOut();
    await desk.signIn('new-key');
    letGo();
    expect(await saying).toBe(false);
    expect(desk.state).toMatchObject({ signedIn: true, signInProblem: '' });
    expect(desk.state.errands, 'what was not done').toMatchObject([{ id: 's-1', busy: false }]);
  });

  it('is not disturbed by what is read again and again', async () => {
    await desk.choose('s-1');
    const signingIn = desk.signIn('secret-key');
    await desk.refresh();
    await signingIn;
    expect(desk.state).toMatchObject({ signedIn: true, signInProblem: '', session: { id: 's-1' } });
  });

  it('says so when the server is away, and does not blame the key', async () => {
    refuse = json({ status: 503, detail: 'The session store did not answer.' }, 503);
    await desk.signIn('secret-key');
    expect(desk.state.signInProblem).toBe('The session store did not answer.');
  });

  it('lasts through a reload while the server is away, and goes on once it is there', async () => {
    await desk.signIn('secret-key');
    desk = openDesk();
    refuse = json({}, 502);
    await desk.resume();
    expect(desk.state).toMatchObject({
      signedIn: true,
      sessions: null,
      listProblem: 'The server answered 502.',
    });
    refuse = null;
    await desk.refresh();
    expect(desk.state).toMatchObject({ listProblem: '', sessions: [{ id: 's-1' }, { id: 's-2' }] });
  });

  it('tells who has signed out of a message that was not taken', async () => {
    await desk.signIn('secret-key');
    await desk.choose('s-1');
    const letGo = hold('POST');
    refuse = json({}, 503);
    const saying = desk.say('Kari here.');
    refuse = null;
    desk.signOut();
    expect(desk.state.errands).toEqual([]);
    letGo();
    expect(await saying).toBe(false);
    const told = [{ id: 's-1', busy: false, problem: 'The server answered 503.' }];
    expect(desk.state).toMatchObject({ signedIn: false, errands: told });
    await desk.signIn('secret-key');
    expect(desk.state.errands, 'until it is seen').toMatchObject(told);
  });

  it.each([401, 403])('is not over when somebody else on the way says %i', async (status) => {
    await desk.signIn('secret-key');
    refuse = new Response('<h1>Not now</h1>', { status });
    await desk.refresh();
    expect(desk.state).toMatchObject({
      signedIn: true,
      listProblem: `The server answered ${status}.`,
    });
  });

  it('is over when the server takes the key no longer', async () => {
    await desk.signIn('secret-key');
    refuse = json({ status: 403, code: 'OPERATOR_ONLY' }, 403);
    await desk.refresh();
    expect(desk.state).toMatchObject({ signedIn: false, sessions: null });
    expect(desk.state.signInProblem).toContain('no longer');
  });
});

describe('the list', () => {
  it('is asked for by status, and page by page', async () => {
    await desk.signIn('secret-key');
    await desk.older();
    expect(desk.state).toMatchObject({ hasNewer: true, hasOlder: false });
    await desk.refresh();
    await desk.newer();
    await desk.filter('handed_over');
    expect(lines()).toEqual([
      'GET ?limit=25',
      'GET ?limit=25&cursor=page-2',
      'GET ?limit=25&cursor=page-2',
      'GET ?limit=25',
      'GET ?limit=25&status=handed_over',
    ]);
  });

  it('turns one page for two clicks in a row', async () => {
    await desk.signIn('secret-key');
    await Promise.all([desk.older(), desk.older()]);
    await desk.newer();
    expect(desk.state).toMatchObject({ hasNewer: false, hasOlder: true });
    expect(lines().at(-1)).toBe('GET ?limit=25');
  });

  it('begins anew with each status, also where the page after is wanted before it has come', async () => {
    await desk.signIn('secret-key');
    const filtering = desk.filter('closed');
    expect(desk.state).toMatchObject({ sessions: null, hasNewer: false, hasOlder: false });
    await Promise.allSettled([filtering, desk.older()]);
    expect(lines().at(-1)).toBe('GET ?limit=25&status=closed');
    expect(desk.state.hasNewer).toBe(false);
  });

  it('comes also where that takes longer than until it is read again', async () => {
    await desk.signIn('secret-key');
    rows = [row('s-3')];
    const letGo = hold('GET ?');
    const first = desk.refresh();
    const second = desk.refresh();
    letGo();
    await Promise.all([first, second]);
    expect(desk.state.sessions).toMatchObject([{ id: 's-3' }]);
    expect(lines().filter((line) => line.startsWith('GET ?'))).toHaveLength(2);
  });

  it('stays as it was when it cannot be read anew, and says so', async () => {
    await desk.signIn('secret-key');
    refuse = json({}, 500);
    await desk.refresh();
    expect(desk.state).toMatchObject({ listProblem: 'The server answered 500.' });
    expect(desk.state.sessions).toHaveLength(2);
    refuse = null;
    await desk.refresh();
    expect(desk.state.listProblem).toBe('');
  });
});

describe('a session', () => {
  beforeEach(async () => {
    await desk.signIn('secret-key');
    await desk.choose('s-1');
    calls = [];
  });

  it('shows its transcript, and reads it anew only when something has changed', async () => {
    expect(desk.state.lines).toMatchObject([{ kind: 'said', text: 'Hello' }]);
    await desk.refresh();
    expect(lines()).toEqual(['GET ?limit=25', 'GET /s-1']);
    rows = [row('s-1', { version: 2 })];
    messages = said('Hello', 'Are you there?');
    await desk.refresh();
    expect(desk.state.lines).toHaveLength(2);
  });

  it('is taken over, given back and closed by its status', async () => {
    await desk.setStatus('handed_over');
    expect(calls[0]).toMatchObject({ line: 'PATCH /s-1/status', body: { status: 'handed_over' } });
    expect(desk.state).toMatchObject({ session: { status: 'handed_over' }, errands: [] });
  });

  it('is given back or closed only with the ticket that its operator saw', async () => {
    rows = [row('s-1', { version: 2, ticket: { id: 'T-00000001', reason: 'anger' } })];
    await desk.refresh();
    await desk.setStatus('active');
    await desk.setStatus('closed');
    const sent = calls.filter(({ line }) => line.startsWith('PATCH'));
    expect(sent.map(({ body }) => body)).toEqual([
      { status: 'active', if_ticket: 'T-00000001' },
      { status: 'closed', if_ticket: null },
    ]);
  });

  it('stays as it is when another ticket has come, which it shows with the reason', async () => {
    rows = [row('s-1', { version: 2, ticket: { id: 'T-00000001', reason: 'anger' } })];
    refusePatch = json({ status: 409, code: 'TICKET_CHANGED', detail: 'no' }, 409);
    await desk.setStatus('active');
    expect(desk.state).toMatchObject({
      session: { status: 'active', ticket: { id: 'T-00000001' } },
      errands: [{ id: 's-1', busy: false, problem: expect.stringContaining('meanwhile') }],
    });
    await desk.refresh();
    expect(desk.state.errands, 'until the next try').toHaveLength(1);
    refusePatch = null;
    await desk.setStatus('active');
    expect(desk.state.errands).toEqual([]);
    expect(calls.at(-3)).toMatchObject({ body: { status: 'active', if_ticket: 'T-00000001' } });
  });

  it.each([
    ['{}', 'The server answered 404.'],
    ['{"code":"SESSION_NOT_FOUND"}', 'There is no such session any more.'],
  ])('is not there any more only where its server says so (%s)', async (body, problem) => {
    refuse = new Response(body, { status: 404 });
    await desk.refresh();
    expect(desk.state).toMatchObject({ sessionProblem: problem });
  });

  it('tells what could not be done until something else is tried', async () => {
    refusePatch = json({ status: 503, detail: 'The session store did not answer.' }, 503);
    await desk.setStatus('closed');
    await desk.refresh();
    expect(desk.state.errands).toMatchObject([{ problem: 'The session store did not answer.' }]);
    await desk.choose('s-2');
    expect(desk.state.errands, 'which its operator has seen').toEqual([]);
  });

  it('gets a message, and a repeat of one that failed under its own key', async () => {
    refuse = json({}, 503);
    expect(await desk.say('Kari here.')).toBe(false);
    await desk.refresh();
    refuse = null;
    await desk.refresh();
    expect(desk.state).toMatchObject({
      sessionProblem: '',
      errands: [{ id: 's-1', problem: 'The server answered 503.' }],
    });
    expect(await desk.say('Kari here.')).toBe(true);
    expect(await desk.say('Kari here.')).toBe(true);
    const sent = calls.filter(({ line }) => line === 'POST /s-1/operator-messages');
    expect(sent.map(({ body }) => body)).toEqual(Array(3).fill({ message: 'Kari here.' }));
    const keys = sent.map(({ headers }) => headers.get('idempotency-key'));
    expect(keys).toEqual(['key-1', 'key-1', 'key-2']);
  });

  it('gets a message under its own key after a reload as well', async () => {
    refuse = json({}, 503);
    expect(await desk.say('Kari here.')).toBe(false);
    refuse = null;
    desk = openDesk();
    await desk.resume();
    await desk.choose('s-1');
    expect(await desk.say('Kari here.')).toBe(true);
    expect(await desk.say('Kari here.')).toBe(true);
    const sent = calls.filter(({ line }) => line === 'POST /s-1/operator-messages');
    const sentKeys = sent.map(({ headers }) => headers.get('idempotency-key'));
    expect(sentKeys).toEqual(['key-1', 'key-1', 'key-2']);
    refuse = json({}, 503);
    await desk.say('Still there?');
    desk.signOut();
    expect([...tab.values.values()], 'and forgets all when its operator signs out').toEqual([]);
  });

  it('gets a message that browsers take no care of once its page is closed, as it is too long', async () => {
    await desk.say('Hello!'.repeat(2_500));
    await desk.say('Hello!'.repeat(12_000));
    const sent = calls.filter(({ line }) => line === 'POST /s-1/operator-messages');
    expect(sent.map(({ init }) => init.keepalive)).toEqual([true, false]);
  });

  it('gets another message under another key, also where the first was not taken', async () => {
    refuse = json({}, 503);
    expect(await desk.say('Kari here.')).toBe(false);
    expect(await desk.say('Kari here!')).toBe(false);
    const sent = calls.filter(({ line }) => line === 'POST /s-1/operator-messages');
    const keys = sent.map(({ headers }) => headers.get('idempotency-key'));
    expect(keys).toEqual(['key-1', 'key-2']);
  });

  it('gets a message under the key of its own, whatever an earlier one took', async () => {
    const letGo = hold('POST');
    const earlier = desk.say('Kari here.');
    desk.signOut();
    await desk.signIn('secret-key');
    late = null;
    refuse = json({}, 503);
    expect(await desk.say('Are you there?')).toBe(false);
    refuse = null;
    letGo();
    expect(await earlier).toBe(true);
    expect(await desk.say('Are you there?')).toBe(true);
    const sent = calls.filter(({ line }) => line === 'POST /s-1/operator-messages');
    const keys = sent.map(({ headers }) => headers.get('idempotency-key'));
    expect(keys).toEqual(['key-1', 'key-2', 'key-2']);
  });

  it('tells what was not done for it until its operator has come and gone', async () => {
    const letGo = hold('PATCH');
    refusePatch = json({ status: 503, detail: 'The session store did not answer.' }, 503);
    const closing = desk.setStatus('closed');
    await desk.choose('s-2');
    letGo();
    await closing;
    const told = [
      { id: 's-1', title: 'Visitor s-1', problem: 'The session store did not answer.' },
    ];
    for (const next of [null, 's-2', 's-1']) {
      await desk.choose(next);
      expect(desk.state.errands, `at ${next}`).toMatchObject(told);
    }
    await desk.choose('s-2');
    expect(desk.state.errands).toEqual([]);
  });

  it('is shown as it was left, whatever was asked before that', async () => {
    const shown: unknown[] = [];
    desk.subscribe(({ session }) => {
      if (session?.status !== shown.at(-1)) shown.push(session?.status);
    });
    const letGo = hold('GET /s-1');
    const reading = desk.refresh();
    const closing = desk.setStatus('closed');
    await expect.poll(() => shown).toEqual(['active', 'closed']);
    await expect.poll(() => lines().filter((line) => line === 'GET ?limit=25')).toHaveLength(2);
    letGo();
    await Promise.all([reading, closing]);
    expect(shown).toEqual(['active', 'closed']);
    expect(
      lines().filter((line) => line === 'GET /s-1'),
      'one at a time',
    ).toHaveLength(2);
  });

  it('is changed as was asked, whatever is looked at meanwhile', async () => {
    const shown: (string | null)[][] = [];
    desk.subscribe(({ chosen, session }) => {
      if (session !== null) shown.push([chosen, session.id]);
    });
    const letGo = hold('PATCH');
    const closing = desk.setStatus('closed');
    await desk.choose('s-2');
    expect(desk.state.errands).toMatchObject([{ id: 's-1', busy: true }]);
    expect(calls.find(({ line }) => line.startsWith('PATCH'))?.init.signal?.aborted).toBe(false);
    letGo();
    await closing;
    expect(desk.state).toMatchObject({ chosen: 's-2', session: { id: 's-2' }, errands: [] });
    expect(shown.filter(([chosen, id]) => chosen !== id)).toEqual([]);
  });

  it('makes room for the next one at once', async () => {
    const opening = desk.choose('s-2');
    expect(desk.state).toMatchObject({ chosen: 's-2', session: null, lines: [] });
    await opening;
    await desk.choose(null);
    expect(desk.state).toMatchObject({ chosen: null, session: null, lines: [] });
  });
});
