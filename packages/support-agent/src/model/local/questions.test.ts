import { describe, expect, it } from 'vitest';
import { questionsIn } from './questions.ts';

describe('questionsIn', () => {
  it.each([
    [['How do I return a tent?', 'And do you ship to Norway?']],
    [['can i cancel my order??', 'how do gift cards work?']],
    [['Hi! I bought boots. They are too small. Can I exchange them?', 'How do I change my email?']],
    [['Hello? Where is my parcel?', 'Do you repair zips? Thanks!']],
    [['How long does a refund take? And is it in full?', 'Do you ship to Norway?']],
  ])('takes apart %j', (questions) => {
    expect(questionsIn(questions.join(' '))).toEqual(questions);
  });

  it.each([
    'How do I return a tent?',
    'How do I return a tent',
    'I want to return a tent. It leaks.',
    'How do I return a tent? Is it free?',
    'Can I tumble dry my jacket? What about the sleeping bag?',
    'Do you sell gift cards? And vouchers?',
    'My card was charged twice?? What should I do?',
    'Where is my order, see https://shop.example/track?id=1234 please?',
    'Hello? Is anyone there?',
    'Can you help me? I want to return a tent',
    '???',
    '',
  ])('leaves %j whole', (text) => {
    expect(questionsIn(text)).toEqual([text]);
  });

  it('leaves a message whole that asks more than five', () => {
    const many = Array.from({ length: 6 }, (_, index) => `What does tent ${index} cost?`);
    expect(questionsIn(many.slice(1).join(' '))).toEqual(many.slice(1));
    expect(questionsIn(many.join(' '))).toEqual([many.join(' ')]);
  });

  it('takes no longer for each of many marks than for one', () => {
    const text = 'how '.repeat(250) + '?'.repeat(3_000);
    expect(questionsIn(text)).toEqual([text]);
  });
});
