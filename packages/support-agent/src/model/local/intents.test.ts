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
    'Can I talk to a real human please',
    'may I speak to an actual human being',
    'i want to talk to a real live human being now',
    'stop, give me a human being',
    'real live human please',
    'is there a person I can talk to?',
    'Is there anyone I could speak with',
    'connect me to support staff',
    'customer service representative',
    'I need a customer service agent',
    'can someone from your team help me',
    'could a human please look at this?',
    "I don't want to talk to a bot",
    "I'm tired of talking to a robot",
    'stop making me chat with this machine',
    'I hate talking to chatbots',
    'please call me back',
    'Can someone ring me back on 07700 900123',
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
    'Is there anyone who can collect my order for me?',
    'Can a person of 1.90 metres sleep in this bag?',
    'Do I talk to a bot or a person when I call?',
    'I am happy to talk to a bot',
    "I don't mind talking to a bot",
    'please do not call me back',
    'no need to call me back',
    'Will the driver call me before the delivery?',
    'I sent the support pole back',
    'can someone help me?',
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
