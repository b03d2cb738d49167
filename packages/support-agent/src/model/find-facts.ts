import { contentTerms } from '../knowledge/terms.ts';
import { type Fact, type FactKind, factProblem, normalizeFact } from '../tools/fact.ts';

/** Of one message. Whoever writes more numbers than this is not telling about themselves. */
const maxFacts = 5;

/**
 * How each kind is written, the surest first: what one has taken is not looked at again. The group
 * `value`, or else the match, is the fact.
 */
const patterns: readonly (readonly [FactKind, RegExp])[] = [
  ['email', /(?<![\w.+-])[\w.+-]{1,64}@[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63}){1,5}/gi],
  ['order_number', /(?<![\w-])FF[- ]?\d{5,10}(?![\w-])/gi],
  [
    'ticket_number',
    /(?<![\w-])T-(?:[0-9A-HJKMNP-TV-Z]{8}|(?=[A-Za-z]{0,11}\d)[A-Za-z\d]{4,12})(?![\w-])/g,
  ],
  [
    'ticket_number',
    /\bticket(?: (?:number|no\.?|nr\.?|id|is|was)){0,2}:? ?#? ?(?<value>\d{3,12})(?![\w-])/gi,
  ],
  [
    'order_number',
    /\border(?: (?:number|no\.?|nr\.?|id|is|was)){0,2}:? ?#? ?(?<value>\d{5,12})(?![\w-]| \d{3})/gi,
  ],
  ['phone', /(?<![\w+./-])(?:\+|00|0)\d[\d ()-]{6,20}\d(?![\w/])/g],
];

/** Words that only say what a number is. */
const labels: ReadonlySet<string> = new Set(
  contentTerms(
    'order number no nr id ref reference email mail e address phone mobile telephone tel cell ticket call reach contact name here sorry',
  ),
);

/** A day, and maybe a time behind it. */
const date = /(?<!\d)\d{1,2}-\d{1,2}-(?:\d{2}|\d{4})(?![\d-])/;

const asks = /\?|\b(?:where|when|how|what|which|why|who|can|could|will)\b/i;

export interface FoundFacts {
  readonly facts: readonly Fact[];
  /** The text without them. */
  readonly rest: string;
  /** Whether the rest says nothing besides what they are. */
  readonly isAll: boolean;
}

/**
 * What a customer tells about themselves.
 *
 * @param text as `plainText` makes it.
 */
export function findFacts(text: string): FoundFacts {
  const facts: Fact[] = [];
  let rest = text;
  for (const [kind, pattern] of patterns) {
    rest = rest.replace(pattern, (match: string, ...groups: unknown[]) => {
      const named = groups.at(-1);
      const value = isNamed(named) ? named.value : match;
      const fact = normalizeFact({ kind, value: spelled(kind, value) });
      const isKnown = facts.some((other) => other.kind === kind && other.value === fact.value);
      const isDate = kind === 'phone' && date.test(match);
      if (isDate || !isFact(fact) || (!isKnown && facts.length === maxFacts)) return match;
      if (!isKnown) facts.push(fact);
      return match.replace(value, '');
    });
  }
  const isAll =
    facts.length > 0 && !asks.test(rest) && contentTerms(rest).every((term) => labels.has(term));
  return { facts, rest: rest.replace(/\s+/g, ' ').trim(), isAll };
}

function isNamed(groups: unknown): groups is { readonly value: string } {
  return typeof groups === 'object' && groups !== null;
}

/** An order number is printed with its hyphen, however it is typed. */
function spelled(kind: FactKind, value: string): string {
  return kind === 'order_number' ? value.replace(/^(FF)[- ]?/i, '$1-') : value;
}

function isFact(fact: Fact): boolean {
  // Numbers of cards are longer.
  if (fact.kind === 'phone' && !/^(?:\+[1-9]\d{7,14}|0[1-9]\d{8,9})$/.test(fact.value))
    return false;
  return factProblem(fact) === undefined;
}
