import { phrases } from './phrases.ts';

const greeting =
  /^(?:hi|hiya|hello|hey|good (?:morning|afternoon|evening|day))(?: (?:there|all|team|everyone|again))?(?:[ .,!:]+|$)/i;

/** What is answered without looking anything up; the whole message must be it. */
const exchanges: readonly (readonly [RegExp, keyof typeof phrases])[] = [
  [
    /^(?:ok(?:ay)?|great|perfect|super|cool)?[ ,.!]*(?:many )?(?:thanks|thank you|thx|cheers)(?: (?:a lot|so much|very much|again|for (?:your|the) help|that helps|that's all))*[ .!]*$/i,
    'thanks',
  ],
  [
    /^(?:ok(?:ay)?[ ,.!]+)?(?:bye|goodbye|bye bye|see you|have a (?:nice|good) day)[ .!]*$/i,
    'goodbye',
  ],
  [/^(?:no|nope|no,? (?:thanks|thank you)|neither|not now|never ?mind)[ .!]*$/i, 'declined'],
  [
    /^(?:am i (?:talking|speaking|chatting) (?:to|with)|are you|is this|is that|who are you,? are you) (?:a |an |the )?(?:real |actual )?(?:human|person|bot|robot|machine|program|computer|ai|chatbot)(?: or (?:a |an )?(?:real )?(?:human|person|bot|robot|machine|program|computer|ai))?[ ?!.]*$|^who are you[ ?!.]*$/i,
    'machine',
  ],
];

const agreement =
  /^(?:yes|yep|yeah|sure|ok|okay|please|please do|do that|go ahead|that would be (?:nice|good|great)|gladly)(?:[ ,.!]+(?:please|do|do that|sure|go ahead|thanks|thank you))*[ .!]*$/i;

/** The fixed phrase that answers a message of nothing but small talk. */
export function smallTalkReply(text: string): string | null {
  const exchange = exchanges.find(([pattern]) => pattern.test(text));
  if (exchange !== undefined) return phrases[exchange[1]];
  return withoutGreeting(text) === '' || agrees(text) ? phrases.howCanIHelp : null;
}

export function withoutGreeting(text: string): string {
  return text.replace(greeting, '');
}

export function agrees(text: string): boolean {
  return agreement.test(text);
}
