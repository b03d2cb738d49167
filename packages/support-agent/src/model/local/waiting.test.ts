import { describe, expect, it } from 'vitest';
import { asksForPersonsTime } from './waiting.ts';

describe('asksForPersonsTime', () => {
  it.each([
    'when will someone answer?',
    'how long until I get a reply',
    'When do I hear back from you?',
    'how long do I have to wait',
    'ok, and how soon will a person reply?',
    'when can I expect a response',
    'how long does my ticket take',
    'any news on my ticket?',
    'when will your team get back to me',
    'when will you call me?',
  ])('hears it in %j', (text) => {
    expect(asksForPersonsTime(text, false)).toBe(true);
  });

  it.each(['how long will that take?', 'how long?', 'when?', 'how much longer?', 'any update?'])(
    'hears it in %j behind a ticket, and only there',
    (text) => {
      expect(asksForPersonsTime(text, true)).toBe(true);
      expect(asksForPersonsTime(text, false)).toBe(false);
    },
  );

  it.each([
    'how long does a refund take?',
    'when will my parcel come?',
    'how long will delivery to someone in Spain take',
    'how long do you keep my conversation private',
    'when are you open',
    'how can I reach a person',
    'someone answered me',
    '',
  ])('does not hear it in %j', (text) => {
    expect(asksForPersonsTime(text, true)).toBe(false);
  });
});
