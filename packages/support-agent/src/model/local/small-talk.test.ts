import { describe, expect, it } from 'vitest';
import { phrases } from './phrases.ts';
import { agrees, smallTalkReply, withoutGreeting, withoutPreface } from './small-talk.ts';

describe('smallTalkReply', () => {
  it.each([
    ['Hello!', 'howCanIHelp'],
    ['good morning', 'howCanIHelp'],
    ['hi there', 'howCanIHelp'],
    ['yes', 'howCanIHelp'],
    ['ok, thanks a lot!', 'thanks'],
    ['Thank you very much.', 'thanks'],
    ['ok', 'anythingElse'],
    ['ta', 'thanks'],
    ["that's great, cheers mate", 'thanks'],
    ['ok thanks bye', 'goodbye'],
    ['have a nice day', 'goodbye'],
    ['see you later', 'goodbye'],
    ['what can you do?', 'introduction'],
    ['help', 'howCanIHelp'],
    ['can you help me please', 'howCanIHelp'],
    ['I need help with my order', 'howCanIHelp'],
    ['never mind, I found it', 'declined'],
    ['you are great!', 'thanks'],
    ['I have a question', 'howCanIHelp'],
    ['?', 'howCanIHelp'],
    ['who am i talking to', 'machine'],
    ['r u real', 'machine'],
    ['bye', 'goodbye'],
    ['no thanks', 'declined'],
    ['Are you a robot?', 'machine'],
    ['am I talking to a real person?', 'machine'],
    ['are you a bot or a human', 'machine'],
    ["thanks, you're great", 'thanks'],
    ['👍🏽', 'anythingElse'],
    ['❤️ 👍', 'anythingElse'],
  ] as const)('replies to %j', (text, phrase) => {
    expect(smallTalkReply(text)).toBe(phrases[phrase]);
  });

  it.each([
    'hi-vis jacket',
    'Hello, how long does a refund take?',
    'thank you card',
    'thanks but it is broken',
    'have you got it',
    'Never mind. I got a damaged tent and want my money back.',
    'help with my tent pole',
    'nice jacket',
    'is this one day delivery',
    'no parcel has arrived',
    'are you open on Sunday?',
    'yes I want to return it',
    '👋',
  ])('has no reply to %j', (text) => {
    expect(smallTalkReply(text)).toBeNull();
  });
});

describe('withoutGreeting', () => {
  it.each([
    ['Hello, where is it?', 'where is it?'],
    ['good morning! a refund', 'a refund'],
    ['hi-vis jacket', 'hi-vis jacket'],
    ['high boots', 'high boots'],
    ['Dear Sir or Madam, where is it?', 'where is it?'],
    ['Dear Mrs Island: where is it?', 'where is it?'],
    ['dear is this tent', 'dear is this tent'],
    ['Dear support where is it, please?', 'Dear support where is it, please?'],
    ['Dear team my tent is torn, what now?', 'Dear team my tent is torn, what now?'],
  ])('of %j leaves %j', (text, rest) => {
    expect(withoutGreeting(text)).toBe(rest);
  });

  it('takes no longer for one long word than for many', () => {
    const text = `dear ${'a'.repeat(200)}`;
    expect(withoutGreeting(text)).toBe(text);
  });
});

describe('withoutPreface', () => {
  it.each([
    ['Hello, I have a question about refunds', 'refunds'],
    ['please , i just have a question about refunds', 'refunds'],
    ["ok, I've got one quick question regarding my tent", 'my tent'],
    ['a question about your shop', 'your shop'],
    ['I have a question', 'I have a question'],
    ['Is it late? Kind regards, Ann B. Smith', 'Is it late?'],
    ['where is it. thanks, Ann', 'where is it.'],
    ['thank you letters', 'thank you letters'],
    ['where is it Thanks Ann', 'where is it'],
    ['Kind regards', 'Kind regards'],
    ['You guys are great, thanks so much! One more question: where is it?', 'where is it?'],
    ['quick question - where is it', 'where is it'],
    ['Thanks for nothing. Where is it?', 'Thanks for nothing. Where is it?'],
    ['Are you serious? Where is it?', 'Where is it?'],
    [
      "OK, you're kidding me?! Is this some kind of joke? Where is it? Do you ship?",
      'Where is it? Do you ship?',
    ],
    ['is this a serious problem? Where is it?', 'is this a serious problem? Where is it?'],
    [
      'is there a question about that in your form?',
      'is there a question about that in your form?',
    ],
  ])('of %j leaves %j', (text, rest) => {
    expect(withoutPreface(text)).toBe(rest);
  });
});

describe('agrees', () => {
  it.each(['yes', 'Yes please!', 'ok', 'sure, go ahead', 'please do'])('hears it in %j', (text) => {
    expect(agrees(text)).toBe(true);
  });

  it.each(['no', 'yes but not now', 'yesterday', 'please help', ''])('does not in %j', (text) => {
    expect(agrees(text)).toBe(false);
  });
});
