import { type FactKind, factKinds } from '../../tools/fact.ts';

const names: Readonly<Record<FactKind, string>> = {
  email: 'e-?mail(?: address)?',
  phone: '(?:(?:tele)?phone|(?:mobile|cell)(?: ?phone)?)(?: (?:number|num|no\\.?))?|(?<=my )number',
  order_number: 'order (?:number|num|no\\.?|id|reference|ref)s?',
  ticket_number:
    '(?:support )?ticket(?: (?:number|num|no\\.?|id|reference|ref))?|case (?:number|id)',
};

const name = `(?:${Object.values(names).join('|')})`;
/** What belongs to the customer: "what is your email address" asks for the shop's. */
const mine = `my ${name}(?:(?:,| and| or|, and) (?:my )?${name}){0,3}`;
const any = `(?:an? |the )?${name}`;
const have =
  '(?:still )?(?:have|know|remember|got|noted|saved|stored|kept)(?: (?:down|stored|saved|noted))?';
const opening =
  '(?:(?:and|so|ok|okay|please|sorry)[ ,]+)*(?:(?:can|could|would|will) you (?:please )?|please )?(?:(?:tell|remind|give) me |do you (?:still )?(?:know|remember) )?';
const ending =
  '(?: again| please| now| that i (?:gave|told) you| (?:that )?you have| (?:on file|for me|of mine|about me|from me|in (?:this|our) (?:chat|conversation)|here|already|yet))*[ ?.!]*';

/** Each is the whole message: how to find or to change one of these is for the articles. */
const questions = [
  `${opening}(?:(?:what(?:'s|s| is| was| are| were)?|which (?:is|was)) )${mine}${ending}`,
  `(?:(?:can|could|would|will) you (?:please )?|please )?(?:tell|remind) me (?:of )?${mine}${ending}`,
  `${opening}(?:do|did|have) you ${have} ${mine}${ending}`,
  `${opening}(?:do|have) you ${have} ${any} (?:for me|of mine|from me)${ending}`,
  `${opening}what ${mine} (?:is|was|are|were)${ending}`,
  `${opening}(?:what|which) (?:is the )?${name} (?:do|did|have) you ${have} (?:for me|of mine|from me|about me|on file)${ending}`,
  `${opening}(?:what|which) (?:${names.order_number}|${names.ticket_number}) do you have${ending}`,
  `(?:did|have) i (?:already )?(?:give|given|tell|told|send|sent) you ${mine}${ending}`,
  `${opening}(?:what|which) ${name} (?:did|have) i (?:give|given|tell|told|send|sent)(?: you)?${ending}`,
].map((question) => new RegExp(`^${question}$`, 'i'));

/**
 * Which of the facts a message asks to be told back, if that is all it asks.
 *
 * @param text as `plainText` makes it, without a greeting.
 */
export function askedFacts(text: string): readonly FactKind[] {
  if (!questions.some((question) => question.test(text))) return [];
  return factKinds.filter((kind) => new RegExp(`\\b(?:${names[kind]})`, 'i').test(text));
}
