import { describe, expect, it } from 'vitest';
import { ask, later, passage, said, ticketFor, ticketId } from '../../testing/local-model-talk.ts';
import { notTold, phrases, templates } from './phrases.ts';

describe('facts', () => {
  const found = [passage('a#x', { text: 'Tell us your order number.' })];
  const have = 'I have your order number FF-20418837.';
  const known = { facts: { ...later.facts, orderNumbers: ['FF-20418837'] } };

  it('are remembered, and said back', async () => {
    const answer = await ask('it is FF-20418837');
    expect(answer.calls).toEqual([
      ['remember_fact', { kind: 'order_number', value: 'FF-20418837' }],
    ]);
    expect(answer.text).toBe(`${have} ${phrases.offer}`);
  });

  it('are used where an answer asks for them, once', async () => {
    const session = known;
    const answer = await ask('what about x', { found, session });
    expect(answer.text).toBe(`${have} Tell us your order number.`);
    expect(answer.calls.map(([name]) => name)).toEqual(['search_knowledge']);
    const again = await ask('what about x', { found, session, earlier: [said(answer.text)] });
    expect(again.text).toBe('Tell us your order number.');
  });

  it('are used where a question is about an order', async () => {
    const answer = await ask('is my order x?', { found: [passage('a#x')], session: known });
    expect(answer.text).toBe(`${have} This is a#x.`);
  });

  it('are not said again to who asks for a person about an order', async () => {
    const { text } = await ask('talk to a person about my order please', {
      session: known,
      earlier: [said(have)],
    });
    expect(text).not.toContain(have);
  });

  it('are left out where they have nothing to do with it', async () => {
    const answer = await ask('what about x', { found: [passage('a#x')], session: known });
    expect(answer.text).toBe('This is a#x.');
  });

  it('are not remembered twice', async () => {
    const answer = await ask('it is ff-20418837', { session: known, earlier: [said(have)] });
    expect(answer.calls).toEqual([]);
    expect(answer.text).toBe(`${have} ${phrases.offer}`);
  });

  it('are told back to who asks for them', async () => {
    const facts = { ...known.facts, email: 'kim@example.com', orderNumbers: ['A-1000', 'A-2000'] };
    const tell = async (question: string) => {
      const answer = await ask(question, { session: { facts } });
      expect(answer).toMatchObject({ calls: [], sources: [], answered: true });
      return answer.text;
    };
    expect(await tell('what is my email?')).toBe('I have your email address kim@example.com.');
    expect(await tell('do you know my phone number?')).toBe(notTold.phone);
    expect(await tell('what is my ticket number?')).toBe(notTold.ticket_number);
    expect((await tell('which order numbers do you have for me')).split(/(?<=\.) /)).toEqual([
      'I have your order number A-1000.',
      'I have your order number A-2000.',
    ]);
  });

  it('include the ticket that the conversation has, or had', async () => {
    const openTicket = ticketFor('asked_for');
    const question = 'what is my ticket number?';
    const open = await ask(question, { session: { openTicket, tickets: [openTicket] } });
    expect(open.text).toBe(templates.passedOnBefore.fill(ticketId));
    const closed = await ask(question, { session: { tickets: [openTicket] } });
    expect(closed.text).toBe(templates.lastTicket.fill(ticketId));
  });

  it('are left to the articles where a question is about what is done with them', async () => {
    const answer = await ask('how do I change my email address');
    expect(answer.sources.map(({ id }) => id)).toEqual([
      'account#change-your-email-address-or-name',
    ]);
  });
});
