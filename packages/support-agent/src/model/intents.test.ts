import { describe, expect, it } from 'vitest';
import { readPersonRequest } from './intents.ts';

const asksForHuman = (text: string) => readPersonRequest(text).asks;

describe('readPersonRequest', () => {
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
    'Can I speak to someone?',
    'i need to talk to somebody about my order',
    'let me speak with your supervisor',
    'I want to chat with customer support',
    "Why can't I talk to a person?",
    "Can't I just speak to a human?",
    "I don't want a bot, I want a human",
    'I do not want to talk to a bot I want to talk to a human',
    'How do I talk to a person?',
    "I don't want to talk to a machine. Get me an agent!",
    'please escalate this',
    'Escalate my case now!',
    'can you open a ticket please',
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
    'I want someone to collect my order for me',
    'Can somebody else fetch my parcel?',
    'I do not want to talk to a person',
    "I don't want to speak to an agent",
    "I'd rather not talk to a human",
    'no need to connect me with an agent',
    'Please do not put me through to an operator.',
    'I never want to speak to a manager again',
    'Do I have to talk to a person to return a tent?',
    'please dont escalate this',
    'no need to open a ticket',
    'how do I escalate a complaint',
    'how can I escalate this?',
    'I bought an escalator toy',
    '',
  ])('does not hear it in %j', (text) => {
    expect(asksForHuman(text)).toBe(false);
  });

  it.each([
    ['I do not want to talk to a person', ''],
    [
      "I don't want to speak to an agent, how long does a refund take?",
      'how long does a refund take?',
    ],
    [
      'dont escalate this, i just have a question about refunds',
      'i just have a question about refunds',
    ],
    ['How long does a refund take?', 'How long does a refund take?'],
    ['Can I talk to a person about my tent?', 'Can I talk to a person about my tent?'],
  ])('leaves of %j what else it says', (text, rest) => {
    expect(readPersonRequest(text).rest.replace(/^[ ,]+/, '')).toBe(rest);
  });
});
