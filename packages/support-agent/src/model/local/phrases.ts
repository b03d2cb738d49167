import type { FactKind } from '../../tools/fact.ts';
import { splitSentences } from './sentences.ts';
import { Template } from './template.ts';

/** With the templates and `notTold`, everything the local model says that does not stand in an article. */
export const phrases = {
  hello: 'Hello!',
  introduction: 'I answer questions about orders, delivery, returns, payment and your account.',
  howCanIHelp: 'How can I help you?',
  anythingElse: 'Is there anything else I can help with?',
  thanks: 'You are welcome. Is there anything else I can help with?',
  goodbye: 'Goodbye, and thank you for writing to us.',
  declined: 'All right. I am here if you need anything else.',
  machine:
    'I am a program that answers with sentences from our help articles. I can also pass your conversation on to a person.',
  unknown:
    'I’m sorry, I don’t know the answer to that: I found nothing in our help articles that fits.',
  restUnknown: 'I found nothing in our help articles about the rest of your message.',
  onlyEnglish: 'I’m sorry, I understand English only.',
  offer:
    'Would you like to talk to a person? Write “talk to a person” and I pass your conversation on.',
  personWillAnswer: 'A person will answer you here; you do not need to repeat anything.',
  repeatedFailure: 'I have not been able to answer your last questions.',
  letDown: 'I am sorry that we have let you down.',
  inDanger: 'If anybody is in danger, please call the emergency services first.',
  timeUnknown: 'I do not know how long that takes.',
  notPassedOn: 'I could not pass your conversation on just now. Please ask me once more.',
} as const;

export const templates = {
  /** The headings of the two sections that fit equally well. */
  askBack: new Template('Do you mean “{}” or “{}”?'),
  /** The ticket's id, as in the next ones. */
  passedOn: new Template('I pass your conversation on to our team: your ticket is {word}.'),
  passedOnBefore: new Template(
    'Your conversation is with our team already: your ticket is {word}.',
  ),
  personIsAwaited: new Template(
    'A person will answer you in this conversation: your ticket is {word}.',
  ),
  lastTicket: new Template('The last ticket of this conversation was {word}.'),
} as const;

/** That something is remembered, by its kind: the gap is what was told. */
export const factTemplates: Readonly<Record<FactKind, Template>> = {
  email: new Template('I have your email address {word}.'),
  phone: new Template('I have your phone number {word}.'),
  order_number: new Template('I have your order number {word}.'),
  ticket_number: new Template('I have your ticket number {word}.'),
};

/** That nothing of a kind is remembered. */
export const notTold: Readonly<Record<FactKind, string>> = {
  email: 'You have not told me your email address in this conversation.',
  phone: 'You have not told me your phone number in this conversation.',
  order_number: 'You have not told me your order number in this conversation.',
  ticket_number: 'This conversation has no ticket, and you have not told me the number of one.',
};

const sentences: ReadonlySet<string> = new Set(
  [...Object.values(phrases), ...Object.values(notTold)].flatMap(splitSentences),
);

/** Whether a sentence is one of the fixed ones, whatever stands in its gaps. */
export function isFixedSentence(sentence: string): boolean {
  const all = [...Object.values(templates), ...Object.values(factTemplates)];
  return sentences.has(sentence) || all.some((template) => template.read(sentence) !== null);
}
