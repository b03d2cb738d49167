const quality = '(?:(?:real|actual|live|living|proper) ){0,3}';
const person = `(?:${quality}(?:human(?: being)?|person|(?:human )?agent)|someone real|somebody real|(?:customer )?(?:service|support|care) (?:agent|representative|rep|advisor|person)|operator|representative|advisor|manager|supervisor|member of staff|someone from (?:your|the) team)`;
/** Whom only talking makes a person to talk to: "I want someone to collect my order" asks for nobody. */
const partner = `(?:${person}|someone|somebody|customer (?:service|support|care)(?: team| staff)?|support(?: team| staff)?|(?:your |the )?team|staff)`;
const talk =
  '(?:talk|speak|chat|connect me|put me through|transfer me|hand me over|pass me on|forward me)';
const want =
  "(?:i want|i need|i would like|i'd like|get me|give me|let me have|can i have|could i have|can i get)";
const between =
  '(?:\\s+(?:to|with|a|an|the|your|some|have|get|speak|talk|chat|please|now)\\b){0,6}';

const mayTalk =
  '(?:who |that |whom )?(?:i|we) (?:can|could|may|might) (?:please )?(?:talk|speak|chat)';
/** Two ways to ask whether there is somebody. */
const isThere = `is(?:n't| not)? there (?:an? |any )?(?:${partner}|anyone|anybody) ${mayTalk}(?: to| with)?`;
const canTheyHelp = `(?:can|could|would) (?:an? |the |your )?${person} (?:please )?(?:help|assist|look|call|ring|contact|take over)(?: (?:me|us|at|into|this|that|it|my|to))*`;

/** Who wants no machine wants a person. */
const machine =
  '(?:an? |the |this |that |your |some |any )?(?:stupid |automated )?(?:(?:chat ?)?bots?|robots?|machines?|computers?|ai)';
const noMachine = `(?:\\bnot|\\b(?:do|did|wo|would|ca)n'?t|\\bnever|\\bstop|\\bhate|(?:tired|sick) of)(?: (?:want|wish|like|going|have|having|making|me|to))* (?:talk|speak|chat)(?:ing)? (?:to|with) ${machine}`;

const callBack = '(?:call|ring|phone) (?:me|us) back|give (?:me|us) a (?:call|ring)(?: back)?';

/** Not "an agent orange jacket" or "a person tent": nothing but the request goes on from here. */
const clauseEnd =
  '(?=\\s*(?:$|[.,;:!?)]|(?:please|pls|plz|now|to|who|that|instead|here|about|for|with|from|in|on|and|asap|i|because|or|today|directly)\\b))';

/** How to do so is a question for the articles. */
const passOn =
  '(?<!how (?:do|can|could|should|would) (?:i|we) )(?:escalate(?: (?:this|that|it|me|(?:my|the) (?:chat|conversation|case|issue|matter|question|request)))?|(?:open|create|make|raise|start)(?: me)? (?:a|an|another|any)(?: new)?(?: support)? ticket)';

const asks = new RegExp(
  `(?:\\b(?:${talk}\\b${between}\\s+${partner}|${want}\\b${between}\\s+${person}|${passOn}|${isThere}|${canTheyHelp}|${callBack})|${noMachine})${clauseEnd}`,
  'gi',
);
const onlyNames = new RegExp(`^\\W*(?:an? |the )?${person}(?:,? please|,? now)?\\W*$`, 'i');

/** Right before a request, it turns it around: "I do not want to …". */
const refusal =
  /(?:\bi(?:'d)? )?(?:\b(?:do|does|did|will|would) )?\b(?:not|never|cannot|(?:do|does|did|wo|would|need|can|could)n'?t|no need|rather not|without having)(?: (?:really|actually|even|yet|need|want|wish|like|care|have|going|trying|asking|to|ever)\b)* ?$/i;
/** … and this makes it a question: "do I have to …". */
const doubt = /\b(?:do|does|must|should|would) (?:i|we|you|one) (?:need|have) to ?$/i;

export interface PersonRequest {
  /** Whether a person is asked for. Errs on the side of "no": the offer can be repeated. */
  readonly asks: boolean;
  /** The text without what says that no person is wanted. */
  readonly rest: string;
}

/** @param text as `plainText` makes it. */
export function readPersonRequest(text: string): PersonRequest {
  let asked = onlyNames.test(text);
  let rest = '';
  let from = 0;
  for (const { index, 0: request } of text.matchAll(asks)) {
    const before = text.slice(from, index);
    const end = index + request.length;
    const isRefused = refusal.test(before);
    rest += isRefused ? before.replace(refusal, '') : text.slice(from, end);
    asked ||= !isRefused && !doubt.test(before);
    from = end;
  }
  return { asks: asked, rest: rest + text.slice(from) };
}
