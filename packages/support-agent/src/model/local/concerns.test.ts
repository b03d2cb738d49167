import { describe, expect, it } from 'vitest';
import { concernIn } from './concerns.ts';

describe('concernIn', () => {
  it.each([
    'I was injured when your harness broke',
    'my son got badly hurt by the tent pole',
    'The stove caught fire in my kitchen!',
    'there was a fire',
    'We had an accident with your rope',
    'my rope snapped on the wall',
    'your gas canister exploded',
    'I ended up in hospital',
    'The recalled carabiner failed and she fell',
    'I burned my hand on the stove',
    'the tent pole hit and injured my daughter',
    'This helmet is dangerous',
    'nobody was hurt, but the stove caught fire',
    "I can't say that nobody was injured",
    'we were not injured yet',
    'I am not suicidal',
    'I fell with your rope and got hurt',
    'The pole gave way, I broke my wrist',
    'I broke my left leg',
  ])('hears a matter of safety in %j', (text) => {
    expect(concernIn(text)).toBe('safety');
  });

  it.each([
    'You will hear from my lawyer',
    'I will sue you',
    "I'm going to take you to court",
    'see you in court',
    'I am considering legal action',
    'I have reported you to Trading Standards',
    'my solicitor will write to you',
    'This goes to the ombudsman.',
    'I will report you to trading standards',
    'I will not sue you if you pay today',
    'I have no lawyer yet',
    'I will not sue you, my lawyer will',
    "I don't want to have to sue you",
    'do not make me sue you',
    'I will not hesitate to take legal action',
    "I can't promise that I won't sue you",
    'Give me a reason not to sue you',
    'why should I not call a lawyer?',
    'I am not taking legal action, but I will',
    'You have not replied to my solicitor',
  ])('hears a legal matter in %j', (text) => {
    expect(concernIn(text)).toBe('legal');
  });

  it.each([
    'What the fuck is this',
    'this is the worst shop ever',
    'This is the worst!',
    'You are completely useless',
    'WHERE IS MY MONEY!!!',
    'I am really angry now',
    'absolutely terrible service',
    "I'm fed up with waiting",
    'you bloody idiots',
    'This is the third time I write to you',
    "it's the 4th time we have called you",
    'nobody ever answers',
    'No one has replied to me',
    'I have never been so angry',
    'no shit',
    'THIS TENT LEAKS, I WANT MY MONEY BACK!',
  ])('hears anger in %j', (text) => {
    expect(concernIn(text)).toBe('anger');
  });

  it('tells the gravest of several', () => {
    expect(concernIn('you idiots, my lawyer knows that I was injured')).toBe('safety');
    expect(concernIn('you idiots, my lawyer will call')).toBe('legal');
  });

  it.each([
    'i will NOT sue you lol, just want to know if gift cards expire',
    'I never said that I will not return it, and I will never sue you',
    "I won't take you to court",
    'no intention of suing you',
    "I don't want to take legal action against you",
    "i'm not going to sue the company",
    'I am not a lawyer, what does this clause mean?',
    'I dont need legal advice',
    'no need to call the police',
    'nobody was hurt, but the tent pole broke',
    'No one was injured',
    'luckily there were no injuries',
    "I wasn't injured",
    'it did not catch fire',
    'the stove is not dangerous',
    "I'm not angry, only asking",
    'i am not really fed up',
    'I work for the fire service, do I get a discount?',
    'I work in the hospital, is there a discount?',
    'Do ambulance drivers get anything off?',
    'I ordered twice by accident',
    'I accidentally ordered two tents',
    'Law and courts',
    'Legal rights for faulty goods',
    'Which law applies to my order?',
    'How do I report a scam?',
    'Is my rope recalled?',
    'My name is Sue',
    'these boots hurt my feet',
    'I slipped and was not hurt',
    'my pole fell and broke its tip',
    'nobody answered the door',
    'the second time I wash it',
    'HOW LONG DOES A REFUND TAKE?',
    'GPS!',
    'FF-20418837 !!!',
    'Can I use a stove inside a tent?',
    'Do you sell crampons and a scraper?',
    'The strap of my backpack broke',
    'The airline broke my hip belt',
    'I have broken my left knee pads',
    'what is the worst that rain can do to down?',
    '',
  ])('hears none in %j', (text) => {
    expect(concernIn(text)).toBeNull();
  });
});
