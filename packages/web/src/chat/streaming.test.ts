import { beforeEach, describe, expect, it } from 'vitest';
import { answer, answerBody, offline, problem, said, timeOf } from './testing/fake-server.ts';
import { Scene } from './testing/scene.ts';
import { REASON } from './wording.ts';

let scene: Scene;
let server: Scene['server'];

beforeEach(async () => {
  scene = new Scene();
  server = scene.server;
  scene.open('s-1');
  await scene.conversation.load();
});

const sources = [{ id: 'refunds#time', title: 'Refunds', heading: 'How long it takes', score: 3 }];
const posts = () => server.sent.map(({ line, key }) => [line, key]);

describe('an answer that is streamed', () => {
  it('is asked for as a stream, grows piece by piece, and ends as the reply says', async () => {
    const { reply, stream } = server.streaming();
    server.replies = [reply];
    const sending = scene.conversation.send('A refund?');
    await scene.shows('user: A refund?', '[waiting]');
    stream.say(1, '7', 'turn.started', { attempt: 1 }).say(2, '7', 'tool', { name: 'search' });
    await scene.shows('user: A refund?', '[looking]');
    stream.say(3, '7', 'text', { text: 'It takes ' });
    await scene.shows('user: A refund?', '[writing] It takes');
    stream.say(4, '7', 'text', { text: 'five days.' });
    await scene.shows('user: A refund?', '[writing] It takes five days.');
    stream.say(5, '7', 'answer', { sources, requires_escalation: false, ticket: null });
    stream
      .say(6, '7', 'turn.completed')
      .send('reply', answerBody('It takes five days.', { sources }));
    await sending;
    expect(scene.shown).toEqual(['user: A refund?', 'assistant: It takes five days.']);
    expect(scene.conversation.state.entries[1]).toMatchObject({
      sources: [{ title: 'Refunds', heading: 'How long it takes', url: '' }],
    });
    expect(new Headers(server.sent[0]?.init.headers).get('accept')).toBe('text/event-stream');
  });

  it('brings the ticket of an escalation, and the page knows it from then on', async () => {
    const { reply, stream } = server.streaming();
    server.replies = [reply];
    const sending = scene.conversation.send('A person, please');
    const ticket = { id: 'T-42', reason: 'asked', from_seq: 1, to_seq: 1 };
    stream.say(1, '7', 'text', { text: 'Of course.' });
    stream.say(2, '7', 'answer', { sources: [], requires_escalation: true, ticket });
    await scene.shows('user: A person, please', '[writing] Of course.');
    expect(scene.conversation.state.ticket).toMatchObject({ id: 'T-42' });
    const body = answerBody('Of course.', { requires_escalation: true, metadata: { ticket } });
    stream.send('reply', body);
    await sending;
    expect(scene.conversation.state.entries[1]).toMatchObject({ ticket: { id: 'T-42' } });
  });

  it('tells of one ticket once', async () => {
    const ticket = { id: 'T-42', reason: 'asked' };
    const passedOn = answer('Of course.', { requires_escalation: true, metadata: { ticket } });
    server.replies = [passedOn, passedOn];
    await scene.conversation.send('A person, please');
    await scene.conversation.send('Hurry up');
    expect(scene.conversation.state.entries).toMatchObject([
      { role: 'user' },
      { ticket: { id: 'T-42' } },
      { role: 'user' },
      { ticket: null, escalated: false },
    ]);
  });

  it('that the server gives up is a failure with a retry under the same key', async () => {
    const { reply, stream } = server.streaming();
    server.replies = [reply, answer('Fine.')];
    const sending = scene.conversation.send('Hello');
    stream.say(1, '7', 'text', { text: 'Half' }).say(2, '7', 'turn.failed', { code: 'INTERNAL' });
    stream.send('error', { status: 500, code: 'INTERNAL', detail: 'inner workings' });
    await sending;
    expect(scene.shown).toEqual(['user: Hello', '[cut] Half']);
    expect(scene.failed[0]?.reason).toBe('Not answered: something went wrong on our side.');
    await scene.conversation.retry('key-1');
    expect(scene.shown).toEqual(['user: Hello', 'assistant: Fine.']);
    expect(posts()).toEqual(Array(2).fill(['POST /s-1/messages', 'key-1']));
  });
});

describe('a reply that breaks off', () => {
  async function brokenReply() {
    const { reply, stream } = server.streaming();
    server.replies = [reply];
    const sending = scene.conversation.send('A refund?');
    stream.say(1, '7', 'turn.started').say(2, '7', 'text', { text: 'It takes ' });
    await scene.shows('user: A refund?', '[writing] It takes');
    const known = server.streams.length;
    stream.break();
    await sending;
    return server.stream(known);
  }

  it('goes on in the session’s stream, and ends as the history has it', async () => {
    const feed = await brokenReply();
    expect(scene.shown).toEqual(['user: A refund?', '[writing] It takes']);
    feed.say(1, '7', 'turn.started').say(2, '7', 'text', { text: 'It takes ' });
    feed.say(3, '7', 'text', { text: 'five days.' });
    await scene.shows('user: A refund?', '[writing] It takes five days.');
    server.history = said('A refund?', 'It takes five days.');
    feed.say(4, '7', 'turn.completed');
    await scene.shows('user: A refund?', 'assistant: It takes five days.');
    expect(posts()).toHaveLength(1);
  });

  it('that goes on nowhere can be retried under the same key; what came stays', async () => {
    server.streamsRefused = true;
    const { reply, stream } = server.streaming();
    server.replies = [reply, answer('It takes five days.')];
    const sending = scene.conversation.send('A refund?');
    stream.say(2, '7', 'text', { text: 'It takes ' });
    await scene.shows('user: A refund?', '[writing] It takes');
    stream.break();
    await sending;
    await scene.shows('user: A refund?', '[cut] It takes');
    expect(scene.failed[0]?.reason).toBe(REASON.cut);
    await scene.conversation.retry('key-1');
    expect(scene.shown).toEqual(['user: A refund?', 'assistant: It takes five days.']);
    expect(posts()).toEqual(Array(2).fill(['POST /s-1/messages', 'key-1']));
  });

  it('can be retried when its turn fails, or is never heard of again', async () => {
    const feed = await brokenReply();
    server.history = said('A refund?');
    feed.say(3, '7', 'turn.failed', { code: 'LEASE_LOST' });
    await scene.pass(1_000);
    await scene.shows('user: A refund?', '[cut] It takes');
    expect(scene.failed).toHaveLength(1);
  });

  it('waits for a silent turn no longer than its holder’s lease could last', async () => {
    await brokenReply();
    await scene.pass(1_000);
    scene.conversation.checkForPerson();
    expect(scene.failed).toEqual([]);
    scene.now += 35_000;
    scene.conversation.checkForPerson();
    expect(scene.failed).toHaveLength(1);
  });
});

describe('a page that is loaded in mid-answer', () => {
  it('shows the answer from its beginning on, until it is in the history', async () => {
    const { reply, stream } = server.streaming();
    server.replies = [reply];
    void scene.conversation.send('A refund?');
    stream.say(1, '7', 'turn.started').say(2, '7', 'text', { text: 'It takes ' });
    await scene.shows('user: A refund?', '[writing] It takes');
    const known = server.streams.length;
    server.history = said('A refund?');
    await scene.reload();
    const feed = await server.stream(known);
    expect(server.calls.at(-1)?.line).toBe('GET /s-1/stream?after=0');
    feed.say(1, '7', 'turn.started').say(2, '7', 'text', { text: 'It takes ' });
    await scene.shows('user: A refund?', '[writing] It takes');
    await scene.pass(1_000);
    expect(scene.failed).toEqual([]);
    server.history = said('A refund?', 'It takes five days.');
    feed.say(3, '7', 'text', { text: 'five days.' }).say(4, '7', 'turn.completed');
    await scene.shows('user: A refund?', 'assistant: It takes five days.');
    expect(posts()).toHaveLength(1);
  });

  it('does not show again what the history has', async () => {
    server.history = said('A refund?', 'It takes five days.').map((row, index) => ({
      ...row,
      created_at: timeOf(index * 3 + 1),
    }));
    await scene.reload();
    const feed = await server.stream(1);
    feed.say(1, '7', 'turn.started').say(2, '7', 'text', { text: 'It takes ' });
    feed.say(5, '8', 'turn.started').say(6, '8', 'text', { text: 'New' });
    await scene.shows('user: A refund?', 'assistant: It takes five days.', '[writing] New');
  });

  it('offers to send again what was never answered, under its key', async () => {
    server.replies = [offline, answer('Five days.')];
    await scene.conversation.send('A refund?');
    await scene.reload();
    await scene.pass(1_000);
    await expect.poll(() => scene.failed).toMatchObject([{ text: 'A refund?', id: 'key-1' }]);
    await scene.conversation.retry('key-1');
    expect(posts()).toEqual(Array(2).fill(['POST /s-1/messages', 'key-1']));
    expect(scene.shown).toEqual(['user: A refund?', 'assistant: Five days.']);
  });

  it('takes an answer that came meanwhile from the history', async () => {
    server.replies = [offline];
    await scene.conversation.send('A refund?');
    server.history = said('A refund?', 'Five days.');
    await scene.reload();
    await scene.pass(1_000);
    expect(scene.shown).toEqual(['user: A refund?', 'assistant: Five days.']);
  });

  it('asks only for live output behind the last turn that it has seen end', async () => {
    const feed = await server.stream(0);
    server.history = said('A refund?', 'Five days.');
    feed.say(1, '7', 'text', { text: 'Five' }).say(2, '7', 'turn.completed');
    await scene.shows('user: A refund?', 'assistant: Five days.');
    feed.say(3, '8', 'text', { text: 'Half an' });
    await scene.shows('user: A refund?', 'assistant: Five days.', '[writing] Half an');
    await scene.reload();
    await server.stream(1);
    expect(server.calls.at(-1)?.line).toBe('GET /s-1/stream?after=2');
  });
});

describe('what happens elsewhere', () => {
  it('in another tab: question and answer appear as they are made', async () => {
    const feed = await server.stream(0);
    server.history = said('From the other tab');
    feed.say(1, '7', 'turn.started').say(2, '7', 'text', { text: 'An ' });
    await scene.shows('user: From the other tab', '[writing] An');
    server.history = said('From the other tab', 'An answer');
    feed.say(3, '7', 'text', { text: 'answer' }).say(4, '7', 'turn.completed');
    await scene.shows('user: From the other tab', 'assistant: An answer');
  });

  it('is not mistaken for what was written here, and comes twice without being shown twice', async () => {
    const feed = await server.stream(0);
    const { reply, stream } = server.streaming();
    server.replies = [reply];
    const sending = scene.conversation.send('Mine');
    feed.say(1, '7', 'turn.started').say(2, '7', 'text', { text: 'My ' });
    stream.say(1, '7', 'turn.started').say(2, '7', 'text', { text: 'My ' });
    stream.say(3, '7', 'text', { text: 'answer' });
    feed.say(3, '7', 'text', { text: 'answer' });
    await scene.shows('user: Mine', '[writing] My answer');
    stream.say(4, '7', 'turn.completed').send('reply', answerBody('My answer'));
    await sending;
    feed.say(4, '7', 'turn.completed').say(5, '8', 'turn.started');
    server.history = said('Mine', 'My answer', 'Theirs');
    feed.say(6, '8', 'text', { text: 'Their' });
    await scene.shows('user: Mine', 'assistant: My answer', 'user: Theirs', '[writing] Their');
  });

  it('shows nothing torn when some of it is lost', async () => {
    const feed = await server.stream(0);
    server.history = said('A refund?');
    feed.say(8, '7', 'turn.gap').say(9, '7', 'text', { text: 'five days.' });
    await scene.shows('user: A refund?', '[waiting]');
  });

  it('a person’s words appear, and that a person has taken over', async () => {
    server.session = { escalated: true, version: 1 };
    await scene.reload();
    server.session = { escalated: true, status: 'handed_over', version: 2 };
    server.history = [{ seq: 1, role: 'operator', content: { text: 'Kari here.' } }];
    scene.conversation.checkForPerson();
    await scene.shows('operator: Kari here.');
    expect(scene.conversation.state.status).toBe('handed_over');
    const asked = server.calls.length;
    scene.conversation.checkForPerson();
    await expect.poll(() => server.calls.length).toBe(asked + 1);
    expect(server.lines.filter((line) => line.includes('messages'))).toHaveLength(3);
  });

  it('is asked about seldom where no person is expected, and not while nobody looks', async () => {
    const asked = server.calls.length;
    for (let check = 1; check <= 6; check += 1) scene.conversation.checkForPerson();
    scene.conversation.show(false);
    for (let check = 1; check <= 6; check += 1) scene.conversation.checkForPerson();
    expect(server.calls.slice(asked).map(({ line }) => line)).toEqual(['GET /s-1']);
    server.session = { status: 'handed_over', version: 2 };
    scene.conversation.show(true);
    await expect.poll(() => scene.conversation.state.status).toBe('handed_over');
    scene.conversation.checkForPerson();
    expect(server.calls.at(-1)?.line).toBe('GET /s-1');
  });

  it('an end takes everything off the screen', async () => {
    server.history = said('Hello', 'Hi');
    await scene.reload();
    const feed = await server.stream(1);
    server.streamReplies = [problem(401, 'INVALID_TOKEN')];
    server.histories = [problem(401, 'INVALID_TOKEN')];
    await scene.pass(1_000);
    feed.send('session.ended', {}).end();
    await scene.pass(1_000);
    await expect.poll(() => scene.session.read()).toBeNull();
    expect(scene.shown).toEqual(['(Your earlier conversation has ended, so this is a new one.)']);
  });

  it('an end takes everything off the screen also where it came while nobody looked', async () => {
    server.history = said('Hello', 'Hi');
    await scene.reload();
    await server.stream(1);
    await scene.pass(1_000);
    scene.conversation.show(false);
    const gone = problem(401, 'INVALID_TOKEN');
    server.streamReplies = [gone, gone];
    server.histories = [gone];
    scene.conversation.show(true);
    await scene.pass(1_000);
    await expect.poll(() => scene.session.read()).toBeNull();
    expect(scene.shown).toEqual(['(Your earlier conversation has ended, so this is a new one.)']);
  });

  it('a stream that is refused once and then begins has not ended, however often', async () => {
    const feed = await server.stream(0);
    await scene.pass(1_000);
    const asked = server.lines.length;
    const refused = problem(401, 'INVALID_TOKEN');
    server.streamReplies = [refused];
    feed.break();
    await scene.pass(1_000);
    await expect.poll(() => server.streamReplies).toEqual([]);
    await scene.pass(2_000);
    const next = await server.stream(1);
    await scene.pass(1_000);
    server.streamReplies = [refused];
    next.break();
    await scene.pass(1_000);
    await expect.poll(() => server.streamReplies).toEqual([]);
    await scene.pass(2_000);
    await server.stream(2);
    expect(server.lines.slice(asked)).toEqual([]);
  });

  it('an end leaves alone what another tab has begun meanwhile', async () => {
    const feed = await server.stream(0);
    await scene.pass(1_000);
    server.streamReplies = [problem(401, 'INVALID_TOKEN')];
    server.histories = [
      () => {
        scene.session.write('s-2');
        return problem(401, 'INVALID_TOKEN')();
      },
    ];
    feed.send('session.ended', {}).end();
    await scene.pass(1_000);
    await scene.shows('(Your earlier conversation has ended, so this is a new one.)');
    expect(scene.session.read()).toBe('s-2');
  });

  it('an end is found out also where the server cannot be asked at first', async () => {
    server.history = said('Hello', 'Hi');
    await scene.reload();
    const feed = await server.stream(1);
    const gone = problem(401, 'INVALID_TOKEN');
    server.streamReplies = [offline, gone, gone];
    server.histories = [offline, gone];
    await scene.pass(1_000);
    feed.send('session.ended', {}).end();
    for (const pause of [1_000, 2_000, 4_000]) await scene.pass(pause);
    await expect.poll(() => scene.session.read()).toBeNull();
  });

  it('a new token ends the stream, and not the conversation, also where it comes after that', async () => {
    server.history = said('Hello', 'Hi');
    await scene.reload();
    const feed = await server.stream(1);
    server.histories = [problem(401, 'INVALID_TOKEN')];
    await scene.pass(1_000);
    feed.send('session.ended', {}).end();
    await scene.pass(1_000);
    const next = await server.stream(2);
    server.histories = [];
    next.say(1, '7', 'text', { text: 'One' });
    await scene.shows('user: Hello', 'assistant: Hi', '[writing] One');
    expect(scene.session.read()).toBe('s-1');
  });

  it('while nobody looks, another conversation in its place, is shown by the next look', async () => {
    scene.conversation.show(false);
    scene.session.write('s-2');
    server.history = said('Something else', 'Of course');
    scene.conversation.show(true);
    await scene.shows('user: Something else', 'assistant: Of course');
    expect((await server.stream(1)).response.ok).toBe(true);
    expect(server.calls.some(({ line }) => line.startsWith('GET /s-2/stream'))).toBe(true);
  });

  it('is followed again after a break, from where it left off', async () => {
    const feed = await server.stream(0);
    feed.say(1, '7', 'text', { text: 'One ' });
    await scene.shows('[writing] One');
    feed.end();
    await scene.pass(1_000);
    const next = await server.stream(1);
    expect(server.calls.at(-1)?.line).toBe('GET /s-1/stream?after=1');
    next.say(2, '7', 'text', { text: 'two' });
    await scene.shows('[writing] One two');
  });
});
