import { contentTerms } from '../../knowledge/terms.ts';
import { type Fact, type FactKind, factProblem, normalizeFact } from '../../tools/fact.ts';

/** Of one message. Whoever writes more numbers than this is not telling about themselves. */
const maxFacts = 5;

/** A number with letters, as shops print them: up to four, and four to twelve digits. No month of a year. */
const lettered =
  '(?!(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)-?\\d)[a-z]{1,4}-?\\d{4,12}';
/** Not within a date, an amount or a longer number, and not before a unit. */
const numberEnd =
  '(?![\\w/-]|[.,]\\d| \\d{3}| ?(?:%|£|€|(?:pounds?|quid|gbp|euros?|eur|kg|km|cm|mm|ml|g|m|l)\\b))';
const named = '(?: (?:number|num\\.?|no\\.?|nr\\.?|id|ref(?:erence)?\\.?)){1,2}';

/** What is called a number is one, whatever it looks like. */
function calledNumber(label: string, digits: string): RegExp {
  const call = `(?:${named}(?: is| was|'s)?[:=]? ?#?|(?: is| was)?:? ?#)`;
  return new RegExp(`\\b${label}${call} ?(?<value>${lettered}|${digits})${numberEnd}`, 'gi');
}

function plainNumber(label: string, digits: string): RegExp {
  const gap = '(?: is| was)?(?:: ?| )';
  return new RegExp(`\\b${label}${gap}(?<value>${lettered}|${digits})${numberEnd}`, 'gi');
}

/** Who asks whether to order so many of something names no order. */
const anOrder =
  "(?<!\\b(?:to|can|could|may|might|will|would|i|we|you|they|please|not|cannot|(?:ca|wo|do)n'?t) )order";
/** Digits that a phone's number has as well. */
const likePhone = '0[1-9]\\d{8,9}(?!\\d)';

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
  ['ticket_number', calledNumber('ticket', '\\d{3,12}')],
  ['ticket_number', plainNumber('ticket', '\\d{3,12}')],
  ['order_number', calledNumber('order', '\\d{4,12}')],
  ['order_number', plainNumber(anOrder, `(?!${likePhone})\\d{5,12}`)],
  ['order_number', new RegExp(`(?<![\\w-])(?<value>${lettered})(?= (?:is|was) my order\\b)`, 'gi')],
  ['phone', /(?<![\w+./-])(?:\+|00|0)\d[\d ()-]{6,20}\d(?![\w/])/g],
];

/** Words that only say what a number is. */
const labels: ReadonlySet<string> = new Set(
  contentTerms(
    'order number num no nr id ref reference email mail e address phone mobile telephone tel cell ticket call reach contact name here sorry',
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
