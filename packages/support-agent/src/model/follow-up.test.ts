import { describe, expect, it } from 'vitest';
import { topicOf } from './follow-up.ts';

const asked = 'how do i return a jacket';

describe('topicOf', () => {
  it.each([
    'and how long does that take?',
    'is it free',
    'what about boots?',
    'do they expire?',
    'And then?',
    'even if it is worn',
  ])('takes %j for a follow-up', (text) => {
    expect(topicOf(text, [asked])).toBe(asked);
  });

  it.each([
    'where is your shop',
    'do you hire tents',
    'it says delivered but the parcel is not in the porch or the shed',
    '',
  ])('takes %j for a question of its own', (text) => {
    expect(topicOf(text, [asked])).toBeNull();
  });

  it('goes back over follow-ups, small talk and what only tells a fact', () => {
    const between = ['is it free?', 'thanks', 'my order number is FF-20418837'];
    for (const message of between) expect(topicOf('and for boots?', [asked, message])).toBe(asked);
  });

  it('leaves facts about the customer out of the topic', () => {
    expect(topicOf('is it late?', ['where is order FF-20418837'])).toBe('where is order');
  });

  it('does not go back for ever, and has nothing to go on from in a first message', () => {
    const others = Array.from({ length: 20 }, () => 'ok');
    expect(topicOf('is it free?', [asked, ...others])).toBeNull();
    expect(topicOf('is it free?', [])).toBeNull();
  });
});
