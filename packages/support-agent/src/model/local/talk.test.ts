import { describe, expect, it } from 'vitest';
import { ask, nothing, passage, said } from '../../testing/local-model-talk.ts';
import { minCoverage } from '../confidence.ts';
import { phrases, templates } from './phrases.ts';
import { splitSentences } from './sentences.ts';

describe('small talk', () => {
  const first = { session: { isFirstAnswer: true } };

  it.each([
    ['Hello!', `${phrases.hello} ${phrases.introduction}`],
    ['good morning', `${phrases.hello} ${phrases.introduction}`],
    ['thanks', `${phrases.hello} ${phrases.thanks}`],
  ])('replies to %j as the first message without a search', async (question, text) => {
    const answer = await ask(question, first);
    expect(answer).toMatchObject({ text, sources: [], confidence: 1, answered: true, calls: [] });
  });

  it('greets in the first answer, whatever it is, and never again', async () => {
    const found = [passage('a#x')];
    expect((await ask('x', { ...first, found })).text).toBe('Hello! This is a#x.');
    expect((await ask('x', { ...first, ...nothing })).text).toMatch(/^Hello! I’m sorry/);
    expect((await ask('x', { found })).text).toBe('This is a#x.');
    expect((await ask('Hello!')).text).toBe(phrases.howCanIHelp);
  });

  it('takes it for an answer that no person is wanted', async () => {
    const answer = await ask('I do not want to talk to a person');
    expect(answer).toMatchObject({ text: phrases.declined, calls: [] });
  });

  it('answers what is asked besides', async () => {
    const { calls } = await ask(
      "I don't want to talk to a person. How long is the warranty?",
      nothing,
    );
    expect(calls).toEqual([['search_knowledge', { query: '. How long is the warranty?' }]]);
  });

  it('looks up what a question is about that wants no escalation', async () => {
    const { calls } = await ask(
      'please dont escalate this, i just have a question about refunds',
      nothing,
    );
    expect(calls).toEqual([['search_knowledge', { query: 'refunds' }]]);
  });

  it('says in English what it understands, and offers a person', async () => {
    const answer = await ask('wo ist mein Paket?', nothing);
    expect(answer).toMatchObject({
      text: `${phrases.onlyEnglish} ${phrases.offer}`,
      answered: false,
    });
  });
});

describe('a follow-up', () => {
  const earlier = [{ role: 'user', text: 'How do I join the Fern Club?' } as const, said('So.')];

  it('is answered about what was asked before', async () => {
    const answer = await ask('is it free?', { earlier });
    expect(answer.sources.map(({ id }) => id)).toEqual(['fern-club#join-the-fern-club']);
    expect(answer.calls).toEqual([
      ['search_knowledge', { query: 'is it free?' }],
      ['search_knowledge', { query: 'is it free? How do I join the Fern Club?' }],
    ]);
  });

  it('is not answered with what does not have its words', async () => {
    const answer = await ask('and is that waterproofed by llamas?', { earlier });
    expect(answer.sources).toEqual([]);
  });

  it('is answered by itself where nothing about the topic fits better', async () => {
    const answer = await ask('and how do I reset my password?', { earlier });
    expect(answer.sources.map(({ id }) => id)).toEqual([
      'password-and-sign-in#reset-a-forgotten-password',
    ]);
  });
});

describe('several questions in one message', () => {
  const refund = 'refunds#how-long-a-refund-takes';
  const password = 'password-and-sign-in#reset-a-forgotten-password';

  it('are each looked up and answered, in their order', async () => {
    const questions = ['How long does a refund take?', 'And how do I reset my password?'];
    const answer = await ask(questions.join(' '));
    expect(answer.calls.map(([, input]) => input)).toEqual(
      [questions.join(' '), ...questions].map((query) => ({ query })),
    );
    expect(answer.sources.map(({ id }) => id)).toEqual([refund, password]);
    const [first, second] = await Promise.all(questions.map((question) => ask(question)));
    expect(answer.text).toBe(`${first?.text}\n${second?.text}`);
    expect(answer.confidence).toBe(Math.min(first?.confidence ?? 0, second?.confidence ?? 0));
    expect(answer.answered).toBe(true);
  });

  it('are told of where one has no answer, and a person is offered', async () => {
    const answer = await ask('What is the capital of France? How long does a refund take?');
    expect(answer.sources.map(({ id }) => id)).toEqual([refund]);
    const { text } = await ask('How long does a refund take?');
    expect(answer.text).toBe(`${text} ${phrases.restUnknown} ${phrases.offer}`);
  });

  it('are one excuse where none has an answer', async () => {
    const answer = await ask('What is the capital of France? Who won the world cup?');
    expect(answer).toMatchObject({ text: `${phrases.unknown} ${phrases.offer}`, answered: false });
  });

  it('are read with the one that they go on from', async () => {
    const answer = await ask('How do I return an item? Who pays?');
    expect(answer.calls.map(([, input]) => input)).toEqual(
      [
        'How do I return an item? Who pays?',
        'How do I return an item?',
        'Who pays?',
        'Who pays? How do I return an item?',
      ].map((query) => ({ query })),
    );
    const ids = answer.sources.map(({ id }) => id);
    expect(ids).toEqual(['returns#how-to-return-an-item', 'returns#what-a-return-costs']);
    expect(answer.text).not.toContain(phrases.restUnknown);
  });

  it('are not read with one before them where they name what they are about', async () => {
    const answer = await ask('How do I return an item? How long is the warranty?');
    expect(answer.sources.map(({ id }) => id)).toEqual([
      'returns#how-to-return-an-item',
      'warranty-and-repairs#how-long-the-warranty-lasts',
    ]);
  });

  it('are told of where what they go on from has an answer and they have none', async () => {
    const answer = await ask('Do you ship tents? Do they glow?', {
      found: (query) => (query === 'Do you ship tents?' ? [passage('a#x')] : []),
    });
    expect(answer.text).toBe(`This is a#x. ${phrases.restUnknown} ${phrases.offer}`);
  });

  it('are all answered where what they go on from is found only with them', async () => {
    const found = [passage('a#x', { text: 'Tents glow.' })];
    const answer = await ask('Do you ship tents? Do they glow?', {
      found: (query) => (query === 'Do they glow? Do you ship tents?' ? found : []),
    });
    expect(answer.text).toBe('Tents glow.');
  });

  it.each([
    'Are you serious? Where is my parcel?',
    'Where is my parcel? Is this a joke?',
    'What did you say? Where is my parcel?',
  ])('are not told of what asks nothing: %s', async (text) => {
    const answer = await ask(text);
    expect(answer.sources.map(({ id }) => id)).toEqual([
      'tracking-and-missing-parcels#track-your-parcel',
    ]);
    expect(answer.text).not.toContain(phrases.restUnknown);
  });

  it('may be requests in one sentence, where each has an answer', async () => {
    const text = 'I want to return my jacket and change my address';
    const answer = await ask(text);
    expect(answer.sources.map(({ id }) => id)).toEqual([
      'returns#how-long-you-have-to-return-an-item',
      'account#change-your-delivery-address',
    ]);
    const found = [passage('a#x')];
    const whole = await ask(text, {
      found: (query) => (query === 'change my address' ? [] : found),
    });
    expect(whole.text).toBe('This is a#x.');
    const unsure = await ask(text, {
      found: (query) =>
        query === text ? found : [passage(`b#${query.length}`, { coverage: 0.55 })],
    });
    expect(unsure.text).toBe('This is a#x.');
  });

  it('cite a section once that answers two of them', async () => {
    const answer = await ask('Do tents leak? Do boots leak?', { found: [passage('a#x')] });
    expect(answer).toMatchObject({ text: 'This is a#x.', sources: [{ id: 'a#x' }] });
  });

  it('are answered as one where only all of it together is found', async () => {
    const found = [passage('a#x', { coverage: 0.9 })];
    const answer = await ask('Do tents leak? Do boots leak?', {
      found: (query) => (query === 'Do tents leak? Do boots leak?' ? found : []),
    });
    expect(answer.sources.map(({ id }) => id)).toEqual(['a#x']);
  });
});

describe('two articles that fit alike', () => {
  const alike = { title: 'Returns', heading: 'How to send it back' };
  const tie = [passage('a#x'), passage('a#y', { score: 9.9 }), passage('b#z', { score: 9.8 })];
  const question = templates.askBack.fill('About x', 'About z');
  const earlier = [{ role: 'user', text: 'what' } as const, said(question)];

  it('asks back which of them is meant', async () => {
    const answer = await ask('what', { found: tie });
    expect(answer).toMatchObject({ text: question, sources: [], answered: false });
    expect(answer.confidence).toBeLessThanOrEqual(0.5);
  });

  it.each([
    ['one scores less', [passage('a#x'), passage('b#z', { score: 9 })]],
    ['one covers less', [passage('a#x'), passage('b#z', { coverage: 0.8 })]],
    [
      'one does not fit',
      [passage('a#x', { coverage: minCoverage }), passage('b#z', { coverage: minCoverage - 0.01 })],
    ],
    ['they are of one article', [passage('a#x'), passage('a#z')]],
    ['nobody could tell one from the other', [passage('a#x', alike), passage('b#z', alike)]],
  ])('answers when %s', async (_, found) => {
    expect((await ask('what', { found })).text).toBe('This is a#x.');
  });

  it('answers with the one whose heading was written', async () => {
    expect((await ask('about z?', { found: tie })).text).toBe('This is b#z.');
  });

  it.each([
    ['the second', ['This is b#z.'], ['b#z']],
    ['x', ['This is a#x.'], ['a#x']],
    ['both', ['This is a#x.', 'This is b#z.'], ['a#x', 'b#z']],
  ])('understands %j', async (pick, sentences, ids) => {
    const answer = await ask(pick, { found: tie, earlier });
    expect(splitSentences(answer.text)).toEqual(sentences);
    expect(answer.sources.map(({ id }) => id)).toEqual(ids);
    expect(answer.answered).toBe(true);
  });

  it('looks up the headings that were picked', async () => {
    const { calls } = await ask('both', { found: tie, earlier });
    expect(calls).toEqual([
      ['search_knowledge', { query: 'About x' }],
      ['search_knowledge', { query: 'About z' }],
    ]);
  });

  it('takes anything else for a new question, and does not ask back again', async () => {
    const answer = await ask('what about tents?', { found: tie, earlier });
    expect(answer.calls).toEqual([['search_knowledge', { query: 'what about tents?' }]]);
    expect(answer).toMatchObject({ text: 'This is a#x.', answered: true });
  });
});
