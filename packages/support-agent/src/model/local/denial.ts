const negated =
  "(?:not|never|nobody|no one|none of (?:us|them)|neither of (?:us|them)|no|without|nor|(?:do|does|did|wo|would|is|are|was|were|ai|have|has|had|need)n'?t)";

/** "I can't promise that I won't …", "why should I not …": then it is meant after all. */
const doubt =
  /(?:\b(?:why|reasons?|who (?:says|said))\b|(?:\b(?:not|never|cannot)|n'?t) (?:\w+ )?(?:think|believe|assume|imagine|pretend|say|promise)\b)[^,.;!?]*$/;

/** "… if you pay", "… yet": a denial on conditions is a threat. */
const condition =
  /^(?:[ ,]+(?!want|know|wonder|ask|see|check)\w+){0,3}[ ,]+(?:if|unless|until|as long as|provided|yet|but (?:i|we)(?:'ll| will| shall| may| might))\b/;

/** So many characters before it may deny something; texts of nothing but denials take no longer for it. */
const reach = 200;

/** Whether a text says that something named in it is not so. */
export type Denial = (text: string, named: RegExpExecArray) => boolean;

/**
 * Denied is what a "not" stands before, with nothing but these words in between.
 *
 * @param between the source of a regular expression. The fewer words, the plainer the denial.
 */
export function deniedAcross(between: string): Denial {
  const denial = new RegExp(`\\b${negated}(?: (?:${between}))*[ "]*$`);
  return (text, { index, 0: named }) => {
    const before = text.slice(Math.max(0, index - reach), index);
    const found = denial.exec(before);
    if (found === null || doubt.test(before.slice(0, found.index))) return false;
    return !condition.test(text.slice(index + named.length));
  };
}
