import { describe, expect, it } from 'vitest';
import { asksForSomething } from './question.ts';
import { questionsIn } from './questions.ts';

const textsIn = (text: string) => questionsIn(text).map((question) => question.text);

describe('questionsIn', () => {
  it.each([
    [['How do I return a tent?', 'And do you ship to Norway?']],
    [['Where is my order?!', 'how do gift cards work?!!']],
    [['can i cancel my order??', 'how do gift cards work?']],
    [['Hi! I bought boots. They are too small. Can I exchange them?', 'How do I change my email?']],
    [['Hello? Where is my parcel?', 'Do you repair zips? Thanks!']],
  ])('takes apart %j', (texts) => {
    const whole = { lead: null, isSure: true };
    const questions = texts.map((text) => ({ ...whole, text }));
    expect(questionsIn(texts.join(' '))).toEqual(questions);
  });

  it.each([
    ['How do I return a tent?', 'Is it free?'],
    ['How do I return an item?', 'Who pays?'],
    ['Do you deliver to France?', 'How long does that take?'],
    ['Do you deliver to France?', 'And how much?? And then?'],
    ['Can I tumble dry my jacket?', 'What about the sleeping bag?'],
    ['Do you sell gift cards?', 'And vouchers?'],
    ['Is there a warranty?', 'How long is the warranty?'],
  ])('knows that %j may be gone on from', (lead, more) => {
    expect(questionsIn(`${lead} ${more}`)).toEqual([
      { text: lead, lead: null, isSure: true },
      { text: more, lead, isSure: true },
    ]);
  });

  it('knows the question that two go on from, and the next one that does not', () => {
    const text = 'How do I return a tent? Who pays? How long does it take? Do you ship to Norway?';
    expect(questionsIn(text).map(({ lead }) => lead)).toEqual([
      null,
      'How do I return a tent?',
      'How do I return a tent?',
      null,
    ]);
  });

  it.each([
    'How do I return a tent?',
    'How do I return a tent',
    'I want to return a tent. It leaks.',
    'My card was charged twice?? What now?',
    'How do I return a tent? And then?',
    'Where is my order, see https://shop.example/track?id=1234 please?',
    'Hello? Is anyone there?',
    'Can you help me? I want to return a tent',
    '???',
    '',
  ])('leaves %j whole', (text) => {
    expect(textsIn(text)).toEqual([text]);
  });

  it.each([
    [['I want to return my jacket', 'change my address'], ' and '],
    [['How do I cancel my order', 'where do I see my invoice?'], ', and '],
    [['Please cancel my order', 'delete my account.'], '. Also, '],
    [['I forgot my password', 'my parcel hasn’t arrived'], ' and '],
    [['can i return boots', 'do i need a receipt', 'do you ship to norway'], ' and '],
  ])('takes %j for what may be several things', (texts, joint) => {
    const part = { lead: null, isSure: false };
    expect(questionsIn(texts.join(joint).replace('’', "'"))).toEqual(
      texts.map((text) => ({ ...part, text: text.replace('’', "'") })),
    );
  });

  it.each([
    [['do you deliver to france', 'how long'], ', '],
    [['Can I return boots', 'who pays?'], ' and '],
    [['do you rent tents', 'is it expensive'], ' and '],
  ])('takes the second of %j for what may go on from the first', (texts, joint) => {
    const [lead] = texts;
    const [, last] = questionsIn(texts.join(joint));
    expect(last).toEqual({ text: texts[1], lead, isSure: false });
  });

  it.each([
    ['How do I change my address and my email?', 'two things of the same kind'],
    ['I want to take it back and send it to you', 'the second is about the first'],
    ['I bought a tent and a stove and want a refund', 'the first is a story'],
    ['What happens if I return a tent and I lost the label', 'the first is a condition'],
    ['Do you wash and repair tents?', 'there is too little before it'],
    ['I want to return a tent, two poles, and pegs', 'it is a list'],
    [`How do I return a tent ${'very '.repeat(60)}and how do I cancel?`, 'it is long'],
  ])('leaves %j whole, where %s', (text) => {
    expect(textsIn(text)).toEqual([text]);
  });

  it('leaves a message whole that asks more than five', () => {
    const many = Array.from({ length: 6 }, (_, index) => `What does tent ${index} cost?`);
    expect(textsIn(many.slice(1).join(' '))).toEqual(many.slice(1));
    expect(textsIn(many.join(' '))).toEqual([many.join(' ')]);
    const requests = Array.from({ length: 6 }, () => 'please cancel my order').join(' and ');
    expect(textsIn(requests)).toEqual([requests]);
  });

  it.each([
    ['how '.repeat(250) + '?'.repeat(3_000), 'many marks'],
    ['i want to '.repeat(400), 'many beginnings'],
  ])('takes no longer for %# of %s than for one', (text) => {
    expect(textsIn(text)).toEqual([text]);
  });
});

describe('asksForSomething', () => {
  it.each([
    ['Where is my parcel?', null, true],
    ['What do you say?', null, false],
    ['How long?', 'Do you repair tents?', true],
    ['Do they come in red?', 'Do you repair tents?', false],
  ])('of %j behind %j is %j', (text, lead, isMissed) => {
    expect(asksForSomething({ text, lead, isSure: true })).toBe(isMissed);
  });
});
