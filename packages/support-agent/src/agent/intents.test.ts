import { describe, expect, it } from 'vitest';
import { asksForHuman } from './intents.ts';

describe('asksForHuman', () => {
  it.each([
    'talk to a person',
    'Can I speak to a human please?',
    'I want to talk with someone from your team',
    "I'd like to speak to a real person",
    'get me your manager',
    'human',
    'A human, please!',
    'live agent',
    'please connect me with an agent',
    'PUT ME THROUGH TO AN OPERATOR',
  ])('hears it in %j', (text) => {
    expect(asksForHuman(text)).toBe(true);
  });

  it.each([
    'How many persons fit in this tent?',
    'I want to return a two-person tent',
    'Is there a person at the shop on Sunday?',
    'I need an agent orange jacket',
    'What is a human-readable invoice?',
    'I need to talk about my order',
    '',
  ])('does not hear it in %j', (text) => {
    expect(asksForHuman(text)).toBe(false);
  });
});
