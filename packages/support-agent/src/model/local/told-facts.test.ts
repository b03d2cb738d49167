import { describe, expect, it } from 'vitest';
import { askedFacts } from './told-facts.ts';

describe('askedFacts', () => {
  it.each([
    ['what is my email?', ['email']],
    ["what's my e-mail address", ['email']],
    ['what email do you have for me?', ['email']],
    ['which email address did I give you?', ['email']],
    ['do you know my phone number?', ['phone']],
    ['whats my phone no', ['phone']],
    ['do you have my number?', ['phone']],
    ['did i give you my email?', ['email']],
    ['what order number do you have?', ['order_number']],
    ['can you remind me of my mobile number please', ['phone']],
    ['Have you got my phone', ['phone']],
    ['do you have an email for me', ['email']],
    ['what is my order number', ['order_number']],
    ['and what was my order number again?', ['order_number']],
    ['Can you tell me what my order number is', ['order_number']],
    ['do you know what my email is', ['email']],
    ['what is my ticket number?', ['ticket_number']],
    ['what is my ticket', ['ticket_number']],
    ['Do you still have my email and phone number?', ['email', 'phone']],
  ])('of %j is %j', (text, kinds) => {
    expect(askedFacts(text)).toEqual(kinds);
  });

  it.each([
    'how do I change my email address',
    'where do I find my order number',
    'what is my order number for',
    'what is your email address?',
    'what is your phone number',
    'do you have a phone number',
    'what phone number do you have?',
    'do you have a phone',
    'what email do you use for invoices',
    'which phone do you sell',
    'do you know where my order is',
    'do you have my order',
    'do you have my email address in your newsletter list',
    'why do you have my phone number?',
    'delete my email address',
    'my email?',
    'my email address is wrong',
    'what is my order number, and when does it arrive?',
    '',
  ])('of %j is none', (text) => {
    expect(askedFacts(text)).toEqual([]);
  });
});
