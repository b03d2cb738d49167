import type { JsonValue } from 'holdfast';
import { describe, expect, it } from 'vitest';
import { groundedIn } from './grounding.ts';
import { excuse } from './instructions.ts';

const passage = (id: string, title: string, coverage: number) => ({
  ...{ id, title, heading: 'H', text: 'T', score: 1, coverage },
});
const searched = (...passages: ReturnType<typeof passage>[]) => ({
  name: 'search_knowledge',
  result: { passages },
});
const escalated = (reason: string) => ({
  name: 'escalate',
  result: { ticket: { id: 'T-0123ABCD', reason }, is_new: true },
});
const remembered = {
  name: 'remember_fact',
  result: { remembered: { kind: 'email', value: 'a@b.example' }, is_new: true },
};

const returns = passage('returns#cost', 'Returns', 0.8);
const labels = passage('returns#label', 'Returns', 0.9);
const refunds = passage('refunds#time', 'Refunds', 0.6);
const tents = passage('tents#care', 'Tents', 0.4);

function ground(
  answer: string,
  results: { name: string; result: JsonValue }[],
  question = 'What does a return cost?',
) {
  const { sources, confidence, answered } = groundedIn(
    { question, earlier: [], previous: '', said: [], earlierResults: [], results },
    answer,
  );
  return { ids: sources.map(({ id }) => id), confidence, answered };
}

const nothing = { ids: [], confidence: 0, answered: false };
const sure = { ids: [], confidence: 1, answered: true };

describe('what an answer rests on', () => {
  it('is the sections of the articles that it names, as sure as the best of them', () => {
    const found = [searched(returns, refunds, labels, tents)];
    expect(ground('It is free (see “Returns”).', found)).toEqual({
      ids: ['returns#cost', 'returns#label'],
      confidence: 0.9,
      answered: true,
    });
  });

  it('is the best section of each search where it names none', () => {
    const found = [searched(returns, refunds), searched(tents, labels), searched(returns)];
    expect(ground('It is free.', found)).toEqual({
      ids: ['returns#cost', 'returns#label'],
      confidence: 0.9,
      answered: true,
    });
  });

  it('has five sections at most, each once', () => {
    const many = Array.from({ length: 9 }, (_, n) => passage(`r#${n % 6}`, 'Returns', 0.7));
    expect(ground('See “Returns”.', [searched(...many)]).ids).toHaveLength(5);
  });

  it('is nothing that does not fit what was looked for, also where it is named', () => {
    expect(ground('See “Tents”.', [searched(tents)])).toEqual(nothing);
  });

  it('is nothing where nothing was looked for, whatever it says', () => {
    expect(ground('It is free (see “Returns”).', [])).toEqual(nothing);
  });

  it('is nothing for an excuse, whatever was found', () => {
    const found = [searched(returns)];
    expect(ground(`${excuse} Shall I pass you on?`, found)).toEqual(nothing);
    expect(ground("Sorry, i don't know the answer to that.", found)).toEqual(nothing);
  });

  it('is what the customer wished, where the conversation is passed on', () => {
    expect(ground('Your ticket is T-0123ABCD.', [escalated('asked_for')])).toEqual(sure);
    expect(ground(excuse, [escalated('legal')])).toEqual(sure);
    const both = [escalated('anger'), searched(returns)];
    expect(ground('See “Returns”.', both)).toMatchObject({ confidence: 0.8, answered: true });
    // That answers nothing: it is done because nothing else does.
    expect(ground('Your ticket is T-0123ABCD.', [escalated('repeated_failure')])).toEqual(nothing);
    expect(ground('Passed on.', [{ name: 'escalate', result: { error: 'No.' } }])).toEqual(nothing);
  });

  it('is what the customer told', () => {
    expect(ground('Noted.', [remembered], 'My email is a@b.example')).toEqual(sure);
    expect(ground(excuse, [remembered])).toEqual(nothing);
  });

  it('may be nothing for a reply to small talk', () => {
    expect(ground('You are welcome.', [], 'Thanks!')).toEqual(sure);
    expect(ground(excuse, [], 'Thanks!')).toEqual(nothing);
    expect(ground('Passed on.', [escalated('repeated_failure')], 'Yes please')).toEqual(nothing);
  });

  it('takes no result that is not as its tool makes it', () => {
    const broken = [
      { name: 'search_knowledge', result: { passages: 'all' } },
      { name: 'search_knowledge', result: { error: 'No.' } },
      { name: 'other', result: searched(returns).result },
    ];
    expect(ground('See “Returns”.', broken)).toEqual(nothing);
  });
});
