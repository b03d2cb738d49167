import type { EscalationReason } from '../../tools/support-record.ts';
import { type Denial, deniedAcross } from './denial.ts';

const relative =
  '(?:child|kid|baby|son|daughter|wife|husband|partner|mother|father|brother|sister|friend|dog)';
const lifelines = '(?:rope|harness|carabiner|helmet|sling|belay device|ice axe)';
const bones =
  '(?:legs?|arms?|wrists?|ankles?|back|neck|ribs?|nose|fingers?|hips?|collarbone|knees?|shoulders?|skull|foot|toes?)';
/** What is named for where it is worn: a hip belt, knee pads. */
const wornThere =
  '(?:band|belt|brace|buckle|clip|gaiter|guard|loop|pack|pad|panel|pillow|pocket|pouch|protector|pump|rest|strap|wallet|warmer)s?\\b';
const harmed = '(?:hurt|injured|burn(?:t|ed)|poisoned|killed|electrocuted)';

/** Harm, of which somebody may say that there was none. */
const harm = [
  /\binjur(?:y|ies|ed)\b/,
  new RegExp(
    `\\b(?:i|we|he|she|they|someone|somebody|${relative})(?:'s|'m|'re|'ve)? (?:(?:was|were|got|am|is|are|been|have|has|had|badly|almost|nearly) ){1,3}${harmed}\\b`,
  ),
  new RegExp(
    `\\b(?:and|then) (?:got|was|were|am|is|are) (?:(?:badly|seriously|really|a bit) )?${harmed}\\b`,
  ),
  new RegExp(
    `\\b(?:broke|broken|sprained|fractured|dislocated) (?:my|his|her|our|their) (?:\\w+ )?${bones}\\b(?! ${wornThere})`,
  ),
  new RegExp(
    `\\b${harmed} (?:me|him|her|us|them|someone|somebody|(?:my|our|his|her) ${relative})\\b`,
  ),
  /\bi(?:'ve| have)? hurt (?:my|myself)\b/,
  /\bburn(?:t|ed|s)? (?:on )?(?:my|his|her|our|their) (?:\w+ )?(?:hands?|arms?|legs?|face|fingers?|skin|hair)\b/,
  /\b(?:caught|catch(?:es)?|catching|on|set|started a|was a|been a|is a) fire\b(?! (?:service|brigade|fighter|retardant|resistant))/,
  /(?<!\bwork(?:s|ing)? )\b(?:in|to) (?:the )?(?:hospital|a&e)\b|\bhospitali[sz]ed\b|\bemergency room\b/,
  /\b(?:is|are|was|were|that's|it's) (?:(?!not )\w+ )?(?:dangerous|unsafe)\b/,
];

/** What is taken seriously however it is put. */
const danger = [
  /\b(?:explod(?:e|es|ed|ing)|explosion|burst into flames|gas leak|leak(?:s|ed|ing)? gas|electric shock|allergic reaction)\b/,
  /\bcarbon monoxide (?:poison|alarm)/,
  /\b(?:(?:an?|the|my|our|this|had|serious|bad|terrible|climbing)\b(?: \w+)? accident|accident (?:with|happened))\b/,
  /\b(?:suicid\w*|kill myself|self-harm|end my life)\b/,
  new RegExp(
    `\\b${lifelines}\\b.{0,30}\\b(?:snapped|broke|failed|tore|ripped|burst|came undone|collapsed)\\b`,
  ),
  /\brecall(?:ed|s)?\b.{0,60}\b(?:harm|hurt|fell|failed|broke|snapped)/,
];

const legal = [
  /\b(?:lawyer|solicitor|attorney|barrister|lawsuit|litigation|ombudsman|trading standards|small claims)s?\b/,
  /\blegal (?:action|steps|proceedings|advice|department|team|claim|case|notice)\b/,
  /\b(?:take|see|meet|drag|go|going|taking|seeing|end up|all)\b.{0,30}\b(?:in|to) court\b/,
  /\bcourt (?:order|case|action|claim|proceedings)\b/,
  /\bsuing\b|\bsue (?:you|your|the company|the shop|for)\b|\b(?:i|we)(?:'ll| will| shall| could| can| might| am going to| are going to) sue\b|\bsued\b/,
  /\b(?:call|calling|called|tell|told|go to|going to|went to|report\w*)\b.{0,30}\bthe police\b/,
];

const anger = [
  /\b(?:fuck\w*|motherfuck\w*|shit\w*|bullshit|wtf|bastards?|bitch(?:es)?|assholes?|arseholes?|arse|crap|cunts?|dickheads?|wankers?|bollocks|piss(?:ed)?(?: off)?|bloody (?:hell|useless|awful|idiots?))\b/,
  /\bwhat the hell\b|\b(?:go to|burn in) hell\b/,
  /\b(?:idiots?|morons?|imbeciles?|scammers|crooks|thieves|liars|con artists)\b/,
  /\b(?:you|bot|this|that|service|support|chat|company|shop|team|completely|absolutely|totally|utterly|are|is|so) (?:is |are |'re )?(?:useless|stupid|pathetic|hopeless|incompetent|ridiculous|outrageous|disgusting|disgraceful|unacceptable|appalling|a joke|a disgrace)\b/,
  /\b(?:this|you|it)(?:'s| is|'re| are)? (?:really )?(?:the|your) worst\b|\bworst (?:\w+ )?(?:service|company|shop|support|experience|customer|ever)\b|\bworst ever\b/,
  /\b(?:i have|i've|i) had enough\b/,
  /\bi hate (?:you|this|your)\b|\b(?:ripped me off|rip-?off)\b|\bnever (?:again|buy|order|shop)(?:ing)? (?:from|with) you\b/,
  /\b(?:(?:second|third|fourth|fifth|\d+(?:nd|rd|th)|hundredth) time (?:that )?(?:i|we)(?:'ve|'m| have| had| am)? (?:\w+ )?(?:ask|call|chas|complain|contact|e-?mail|messag|phon|r[aiu]ng|writ|wrot|writt)\w*|(?:nobody|no one|noone) (?:(?:ever|even|bothers to) )?(?:answer(?:s|ed)?|repl(?:y|ies|ied)|respond(?:s|ed)?|cares|gets back|got back|has (?:answered|replied|responded))(?! (?:the|my|your|at the) (?:door|bell|phone)))\b/,
  /\b(?:terrible|awful|horrible|appalling|dreadful|shocking) (?:customer )?(?:service|support|company|shop|experience)\b/,
];

const feelings = [
  /\b(?:i'm|i am|im|we are|we're|makes me|really|so|very|getting) (?:(?!not )\w+ )?(?:angry|furious|livid|outraged|fuming|fed up|disgusted)\b/,
  /\bfed up\b|\bsick (?:and tired )?of (?:you|this|it|waiting|your)\b/,
];

interface Signs {
  readonly patterns: readonly RegExp[];
  /** When a pattern's words say the opposite. */
  readonly isDenied?: Denial;
}

type Concern = Exclude<EscalationReason, 'asked_for'>;

/** The gravest first. What nobody was harmed by is denied in fewer words than what nobody wants to do. */
const concerns: readonly (readonly [Concern, readonly Signs[]])[] = [
  [
    'safety',
    [
      { patterns: danger },
      {
        patterns: harm,
        isDenied: deniedAcross(
          'was|were|is|are|got|get|been|be|any|a|an|the|has|have|had|ever|even|really|actually',
        ),
      },
    ],
  ],
  [
    'legal',
    [
      {
        patterns: legal,
        isDenied: deniedAcross(
          'want(?:ed)?|wish|need(?:ed)?|plan(?:s|ning)?|intend(?:ing)?|intentions?|interest(?:ed)?|desire|reason|mean(?:ing)?|threaten(?:ing)?|try(?:ing)?|going|gonna|about|here|looking|consider(?:ing)?|start(?:ing)?|fil(?:e|ing)|tak(?:e|ing)|us(?:e|ing)|call(?:ing)?|see(?:ing)?|get(?:ting)?|go|talk(?:ing)?|speak(?:ing)?|contact(?:ing)?|consult(?:ing)?|involv(?:e|ing)|report(?:ing)?|you|be|have (?:a|any)|to|of|in|on|by|for|with|through|any|a|an|the|my|your|really|actually|even|ever|necessarily',
        ),
      },
    ],
  ],
  [
    'anger',
    [
      { patterns: anger },
      { patterns: feelings, isDenied: deniedAcross('really|actually|even|that|very|feeling|here') },
    ],
  ],
];

/**
 * What in a message calls for a person although nobody asked for one, the gravest first.
 *
 * @param text as `plainText` makes it.
 */
export function concernIn(text: string): Concern | null {
  const lower = text.toLowerCase();
  const found = concerns.find(([, signs]) => signs.some((some) => isSaid(lower, some)));
  return found?.[0] ?? (isShouted(text) ? 'anger' : null);
}

/** Whether any of the patterns is in the text without being denied there. */
function isSaid(text: string, { patterns, isDenied = () => false }: Signs): boolean {
  return patterns.some(
    (pattern) =>
      pattern.test(text) &&
      [...text.matchAll(new RegExp(pattern, 'g'))].some((match) => !isDenied(text, match)),
  );
}

/** Capitals alone may be a habit: it takes an exclamation mark, and more than a word or two. */
function isShouted(text: string): boolean {
  if (!text.includes('!') || !/\S \S+ \S/.test(text)) return false;
  const capitals = text.match(/\p{Lu}/gu)?.length ?? 0;
  const small = text.match(/\p{Ll}/gu)?.length ?? 0;
  return capitals >= 12 && small * 10 <= capitals;
}
