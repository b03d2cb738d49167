import type { JsonValue } from 'holdfast';
import { describe, expect, it } from 'vitest';
import type { Dialogue } from '../dialogue.ts';
import { topicOf } from './follow-up.ts';

const asked = 'how do i return a jacket';

function topicBehind(text: string, earlier: readonly string[], rest: Partial<Dialogue> = {}) {
  const dialogue = { question: text, earlier, previous: '', said: [], results: [] };
  return topicOf(text, { ...dialogue, earlierResults: [], ...rest });
}

function found(title: string, text: string): { name: string; result: JsonValue } {
  const passage = { id: `${title}#x`, title, heading: 'X', text, score: 1, coverage: 1 };
  return { name: 'search_knowledge', result: { passages: [passage] } };
}

describe('topicOf', () => {
  it.each([
    'and how long does that take?',
    'is it free',
    'what about boots?',
    'do they expire?',
    'And then?',
    'even if it is worn',
  ])('takes %j for meant to go on', (text) => {
    expect(topicBehind(text, [asked])).toMatchObject({ text: asked, cited: null, isMeant: true });
  });

  it.each([
    ['not in spam either', true],
    ['nothing yet', true],
    ['no email neither', true],
    ['can i tumble dry it', true],
    ['does a new one cost anything', true],
    ['and boots?', false],
    ['what about parking', false],
    ['is there parking', false],
    ['is it possible to park', false],
    ['is it there', true],
  ])('knows whether %j means anything by itself', (text, isBound) => {
    expect(topicBehind(text, [asked])).toMatchObject({ isMeant: true, isBound });
  });

  it.each(['how much', 'the price', 'how long?', 'when'])('takes %j for saying little', (text) => {
    const cited = { said: ['Free.'], earlierResults: [found('Returns', 'Free.')] };
    expect(topicBehind(text, [asked], cited)).toMatchObject({
      text: `Returns ${asked}`,
      cited: { id: 'Returns#x', heading: 'X' },
      isMeant: false,
    });
    expect(topicBehind(text, [asked])).toBeNull();
  });

  it.each([
    'where is your shop open',
    'do you hire tents',
    'it says delivered but the parcel is not in the porch or the shed',
    'ok',
    '',
  ])('takes %j for no follow-up', (text) => {
    expect(topicBehind(text, [asked])).toBeNull();
  });

  it('goes back over small talk, other follow-ups and what only tells a fact', () => {
    for (const between of [
      'and then?',
      'not that either',
      'thanks',
      'my order number is FF-20418837',
    ]) {
      expect(topicBehind('and for boots?', [asked, between])?.text).toBe(asked);
    }
  });

  it('leaves facts about the customer out', () => {
    expect(topicBehind('is it late?', ['where is order FF-20418837'])?.text).toBe('where is order');
  });

  it('has the title of the article that was cited last', () => {
    const earlierResults = [
      found('Returns', 'Free of charge. Within 60 days.'),
      found('Hire', 'We hire out tents.'),
      found('Shops', 'Nobody has read this to the customer.'),
    ];
    const said = ['Hello! Within 60 days.', '', 'We hire out tents.', '', 'You are welcome.'];
    expect(topicBehind('is it free?', [asked], { said, earlierResults })?.text).toBe(
      `Hire ${asked}`,
    );
  });

  it('does not go back for ever, and has nothing to go on from in a first message', () => {
    const others = Array.from({ length: 20 }, () => 'ok');
    expect(topicBehind('is it free?', [asked, ...others])).toBeNull();
    expect(topicBehind('is it free?', [])).toBeNull();
  });
});
