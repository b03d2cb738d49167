import { phrases } from './phrases.ts';

/** A word of whoever is addressed, and none of a sentence: "Dear support where is my order, please" has one. */
const addressee =
  "(?!(?:am|are|can|could|did|do|does|had|has|have|how|i|i'm|i've|im|is|it|my|our|please|should|this|was|we|were|what|when|where|which|who|why|will|would|you|your)(?![^\\s,.!?]))[^\\s,.!?]+";

const greeting = new RegExp(
  `^(?:(?:hi|hiya|hello|hey|yo|good (?:morning|afternoon|evening|day))(?: (?:there|all|team|everyone|again|guys|folks|mate))?(?:[ .,!:?]+|$)|dear ${addressee}(?: ${addressee}){0,5} ?[,!:] ?)`,
  'i',
);

/** What is said before a question and asks nothing: "please, I just have a quick question about …". */
const preface =
  /^(?:(?:and|so|but|ok(?:ay)?|please|pls)\b|[ ,.;:!-])*(?:i(?:'ve)? (?:just |only )?(?:have |got |had ){0,2}(?:just |only )?)?(?:a|one|another)? ?(?:(?:more|last|other|quick|short|small|simple|general) ?)*question(?: (?:about|on|regarding|concerning)\b|[:,]| -)\s*/i;

/** Behind a question mark, but for one within an address. */
const questionEnd = /(?<=\?!*) /;

/** The first sentence, where another one follows it. */
const opener = /^[^.!?]*[.!]+ /;

/** What has the form of a question and asks nothing. */
const exclamation =
  /^(?:(?:and|but|hey|oh|ok(?:ay)?|pardon|sorry|so|wait|what|wow)[ ,.!?]+)*(?:(?:(?:(?:are|r) )?(?:you|u)(?:'re)?(?: (?:guys|people|actually|being|even|really|truly))* (?:serious|kidding|joking|for real|insane|having a laugh)(?: me)?(?: right now)?|is (?:this|that|it) (?:(?:a|an|some|kind|sort|of|bad|sick|your|idea|supposed|to|be) )*(?:joke|serious|for real))[ ?!.]*|(?:do|did|can) (?:you|u) (?:guys )?even (?:care|listen|read)\b[^?]*[?!]*)$/i;

/** "Kind regards, Margaret": only what ends a message, behind another sentence. */
const signOff =
  / (?<=\S \S* )(?:[Kk]ind(?:est)? |[Bb]est |[Ww]arm(?:est)? |[Mm]any |[Ww]ith )*(?:[Rr]egards|[Bb]est wishes|[Yy]ours (?:sincerely|faithfully|truly)|[Ss]incerely|[Tt]hanks(?: a lot| so much| in advance)?|[Tt]hank you(?: very much| so much| in advance)?|[Cc]heers)(?:[,.!]? \p{Lu}[\p{L}.'-]*){0,3}[ ,.!]*$/u;

const somebody =
  '(?:(?:a|an|the)? ?(?:real|actual|live|proper)? ?(?:human(?: being)?|person|somebody|someone|bot|robot|machine|computer|program|ai|chatbot|automated|automatic|real))';

/** What is answered without looking anything up; the whole message must be it. */
const exchanges: readonly (readonly [RegExp, keyof typeof phrases])[] = [
  [
    /^(?:ok(?:ay)?|alright|all right|right|fine|good|i see|got it|understood)[ .!]*$/i,
    'anythingElse',
  ],
  [
    /^(?:(?:👍|👌|🙏|❤|😊|🙂|😀|😃|😄|👏|💯|✅|🎉)(?:\p{Emoji_Modifier}|\ufe0f)?[ !.]*)+$/u,
    'anythingElse',
  ],
  [
    /^(?:no|nope|no,? (?:thanks|thank you)|neither|not now|never ?mind(?:[,.]? (?:i|we)(?:'ve)? (?:have )?(?:just )?(?:found|got|figured|sorted|solved)(?: (?:it|that|this|them|out|now|already|the answer))*)?)[ .!]*$/i,
    'declined',
  ],
  [/^(?:ok(?:ay)?[ ,.!]+)?(?:see (?:you|ya)|cya)(?: (?:later|soon|around))?[ .!]*$/i, 'goodbye'],
  [
    new RegExp(
      `^(?:who are you,? )?(?:am i (?:talking|speaking|chatting) (?:to|with)|(?:are|r) (?:you|u)|is this|is that) ${somebody}(?: or ${somebody})?[ ?!.]*$`,
      'i',
    ),
    'machine',
  ],
  [
    /^(?:who|what) (?:are|r) (?:you|u)[ ?!.]*$|^who am i (?:talking|speaking) (?:to|with)[ ?!.]*$/i,
    'machine',
  ],
  [
    /^what (?:can|do) (?:you|u) (?:do|help(?: me)? with|answer|know)(?: for me| about)?[ ?!.]*$|^what can i ask(?: you| u)?[ ?!.]*$/i,
    'introduction',
  ],
  [
    /^(?:help(?: me)?|(?:can|could|will) (?:you|u|someone|anyone) (?:please )?help(?: me)?|i need (?:some |your )?help|i(?:'ve| have)? (?:got )?a (?:quick )?question|can i ask (?:you )?(?:a question|something)|(?:is )?any(?:one|body) there|how are you(?: doing| today)?)(?: with (?:my|an?|the|this) (?:order|account|purchase|delivery|problem|issue|item|return))?(?:,? (?:please|pls))?[ ?!.]*$|^[?!. ]+$/i,
    'howCanIHelp',
  ],
];

/** A message of nothing but these words is a courtesy if one of them thanks or takes leave. */
const thanking = wordSet(`amazing awesome brilliant cheers cool excellent fantastic great helped
  helpful helps lovely nice perfect super ta thank thanks thankyou thx tnx ty wonderful`);
const leaving = wordSet('bye day evening goodbye weekend');
const polite =
  wordSet(`a absolutely are again all alright and been everything for good got guys have help i it
  just know lot lots many mate more most much needed now oh ok okay one right so that thats the then
  very was what you your youre youve`);

const agreement =
  /^(?:yes|yep|yeah|sure|ok|okay|please|please do|do that|go ahead|that would be (?:nice|good|great)|gladly)(?:[ ,.!]+(?:please|do|do that|sure|go ahead|thanks|thank you))*[ .!]*$/i;

/** The fixed phrase that answers a message of nothing but small talk. */
export function smallTalkReply(text: string): string | null {
  const rest = withoutGreeting(text);
  const courtesy = rest === '' ? phrases.howCanIHelp : courtesyReply(rest);
  if (courtesy !== null) return courtesy;
  const exchange = exchanges.find(([pattern]) => pattern.test(rest));
  if (exchange !== undefined) return phrases[exchange[1]];
  return agrees(text) ? phrases.howCanIHelp : null;
}

function courtesyReply(text: string): string | null {
  const words =
    text
      .toLowerCase()
      .replaceAll("'", '')
      .match(/\p{L}+/gu) ?? [];
  const isCourteous = words.every((word) =>
    [polite, thanking, leaving].some((all) => all.has(word)),
  );
  if (!isCourteous) return null;
  if (words.some((word) => leaving.has(word))) return phrases.goodbye;
  return words.some((word) => thanking.has(word)) ? phrases.thanks : null;
}

function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(/\s+/));
}

export function withoutGreeting(text: string): string {
  return text.replace(greeting, '');
}

/** What is asked, without what leads up to it, mere exclamations, and the name of who asks. */
export function withoutPreface(text: string): string {
  const asked = withoutCourtesy(withoutGreeting(text).replace(signOff, '')).replace(preface, '');
  if (!asked.includes('?')) return asked;
  return splitQuestions(asked)
    .filter((said) => !exclamation.test(said))
    .join(' ');
}

/** A text without thanks right before what is asked. */
function withoutCourtesy(text: string): string {
  const [first] = opener.exec(text) ?? [];
  return first !== undefined && courtesyReply(first) !== null ? text.slice(first.length) : text;
}

/** The questions of a text with what stands before each, and what follows the last one. */
export function splitQuestions(text: string): string[] {
  return text.split(questionEnd);
}

export function agrees(text: string): boolean {
  return agreement.test(text);
}
