import { describe, expect, it } from 'vitest';
import {
  ask,
  nothing,
  passage,
  said,
  ticketFor,
  ticketId,
} from '../../testing/local-model-talk.ts';
import { phrases, templates } from './phrases.ts';

describe('a person', () => {
  const offer = said(`${phrases.unknown} ${phrases.offer}`);

  it('is called when asked for, without a search', async () => {
    const answer = await ask('Can I speak to a human please?');
    expect(answer.calls).toEqual([['escalate', { reason: 'asked_for' }]]);
    expect(answer.text).toBe(`${templates.passedOn.fill(ticketId)} ${phrases.personWillAnswer}`);
    expect(answer).toMatchObject({ sources: [], confidence: 1, answered: true });
  });

  it('is called when an offer is taken, and only then', async () => {
    const { calls } = await ask('yes please', { earlier: [offer] });
    expect(calls).toEqual([['escalate', { reason: 'asked_for' }]]);
    expect((await ask('yes please')).calls).toEqual([]);
    expect((await ask('no thanks', { earlier: [offer] })).text).toBe(phrases.declined);
  });

  it.each([
    ['I was injured by your stove', 'safety', phrases.inDanger],
    ['My lawyer will write to you', 'legal', templates.passedOn.fill(ticketId)],
    ['You useless idiots', 'anger', phrases.letDown],
  ])('is called for %j', async (question, reason, beginning) => {
    const answer = await ask(question, nothing);
    expect(answer.calls[0]).toEqual(['escalate', { reason }]);
    expect(answer.text.startsWith(beginning)).toBe(true);
    expect(answer.text).toContain(ticketId);
  });

  it('is called beside the answer that there is', async () => {
    const found = [passage('a#x', { coverage: 0.8 })];
    const answer = await ask('this is the worst x ever', { found });
    expect(answer.text).toContain('This is a#x.');
    expect(answer.text).toContain(ticketId);
    expect(answer).toMatchObject({ sources: [{ id: 'a#x' }], confidence: 0.8, answered: true });
  });

  it.each(['I will report you to trading standards about x', 'your rope injured me, what about x'])(
    'is called for %j, beside which only a sure answer is quoted',
    async (question) => {
      const unsure = await ask(question, { found: [passage('a#x', { coverage: 0.69 })] });
      expect(unsure).toMatchObject({ sources: [], confidence: 1, answered: true });
      expect(unsure.text).not.toContain('This is a#x.');
      const sure = await ask(question, { found: [passage('a#x', { coverage: 0.7 })] });
      expect(sure).toMatchObject({ sources: [{ id: 'a#x' }], confidence: 0.7 });
      expect(sure.text).toContain('This is a#x.');
    },
  );

  it('is called in a few languages besides English', async () => {
    const answer = await ask('ich möchte mit einem Menschen sprechen');
    expect(answer.calls).toEqual([['escalate', { reason: 'asked_for' }]]);
    expect(answer.text).toBe(
      `${phrases.onlyEnglish} ${templates.passedOn.fill(ticketId)} ${phrases.personWillAnswer}`,
    );
  });

  it('comes when nobody knows, says the answer to who asks while one is awaited', async () => {
    const session = { openTicket: ticketFor('asked_for') };
    const text = `${templates.personIsAwaited.fill(ticketId)} ${phrases.timeUnknown}`;
    const earlier = [said(templates.passedOn.fill(ticketId))];
    expect(await ask('how long will that take?', { session, earlier })).toMatchObject({
      ...{ text, calls: [], sources: [], answered: true },
    });
    expect((await ask('when will someone answer?', { session })).text).toBe(text);
    expect((await ask('when can I talk to a person?', { session })).text).toBe(
      `${templates.passedOnBefore.fill(ticketId)} ${phrases.timeUnknown}`,
    );
    for (const question of ['how long will that take?', 'how long does a refund take?']) {
      const { calls } = await ask(question, { session, ...nothing });
      expect(calls).not.toEqual([]);
    }
    expect((await ask('when will someone answer?', nothing)).calls).not.toEqual([]);
  });

  it('is called at the third question in a row that it cannot answer', async () => {
    const second = await ask('x', { ...nothing, session: { unansweredInARow: 1 } });
    expect(second.calls.map(([name]) => name)).toEqual(['search_knowledge']);
    const third = await ask('x', { ...nothing, session: { unansweredInARow: 2 } });
    expect(third.calls.map(([name]) => name)).toEqual(['search_knowledge', 'escalate']);
    expect(third.calls[1]?.[1]).toEqual({ reason: 'repeated_failure' });
    expect(third.text.startsWith(phrases.repeatedFailure)).toBe(true);
    expect(third.text).toContain(ticketId);
    expect(third.answered).toBe(false);
  });

  it('is neither called nor offered by itself while one is awaited', async () => {
    const session = { unansweredInARow: 5, openTicket: ticketFor('anger') };
    const answer = await ask('x', { ...nothing, session });
    expect(answer.calls.map(([name]) => name)).toEqual(['search_knowledge']);
    expect(answer.text).toBe(`${phrases.unknown} ${templates.passedOnBefore.fill(ticketId)}`);
  });

  it('is on the way already, says the second answer to who asks twice', async () => {
    const session = { openTicket: ticketFor('asked_for') };
    const { text } = await ask('human please', { session });
    expect(text).toBe(templates.passedOnBefore.fill(ticketId));
  });
});
