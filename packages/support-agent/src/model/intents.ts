const person =
  '(?:human|(?:real |actual |live )?person|someone real|somebody real|(?:human |live )?agent|operator|representative|advisor|manager|supervisor|member of staff|someone from (?:your|the) team)';
/** Whom only talking makes a person to talk to: "I want someone to collect my order" asks for nobody. */
const partner = `(?:${person}|someone|somebody|customer (?:service|support|care)|support|(?:your |the )?(?:support )?team|staff)`;
const talk =
  '(?:talk|speak|chat|connect me|put me through|transfer me|hand me over|pass me on|forward me)';
const want =
  "(?:i want|i need|i would like|i'd like|get me|give me|let me have|can i have|could i have|can i get)";
const between =
  '(?:\\s+(?:to|with|a|an|the|your|some|have|get|speak|talk|chat|please|now)\\b){0,6}';

/** Not "an agent orange jacket" or "a person tent": nothing but the request goes on from here. */
const clauseEnd =
  '(?=\\s*(?:$|[.,;:!?)]|(?:please|pls|plz|now|to|who|that|instead|here|about|for|with|from|in|on|and|asap|i|because|or|today|directly)\\b))';

/** How to do so is a question for the articles. */
const passOn =
  '(?<!how (?:do|can|could|should|would) (?:i|we) )(?:escalate(?: (?:this|that|it|me|(?:my|the) (?:chat|conversation|case|issue|matter|question|request)))?|(?:open|create|make|raise|start)(?: me)? (?:a|an|another|any)(?: new)?(?: support)? ticket)';

const asks = new RegExp(
  `\\b(?:${talk}\\b${between}\\s+${partner}|${want}\\b${between}\\s+${person}|${passOn})${clauseEnd}`,
  'gi',
);
const onlyNames = new RegExp(
  `^\\W*(?:an? |the )?(?:real )?${person}(?:,? please|,? now)?\\W*$`,
  'i',
);

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
