import type { Passage } from '../../knowledge/passage.ts';
import { contentTerms } from '../../knowledge/terms.ts';
import { templates } from './phrases.ts';
import { agrees } from './small-talk.ts';

type Two<Item> = readonly [Item, Item];

const first =
  /^(?:the )?(?:(?:number|option) )?(?:first|1st|1|one|former|a)(?: one| option)?[ .!]*$/i;
const second =
  /^(?:the )?(?:(?:number|option) )?(?:second|2nd|2|two|latter|b)(?: one| option)?[ .!]*$/i;
const both = /^(?:both|either|all)\b/i;

/** The question which of two sections is meant. */
export function askBack([one, other]: Two<Passage>): string {
  return templates.askBack.fill(label(one, other), label(other, one));
}

/** Whether their labels tell the two apart: articles may be called alike. */
export function canBeAsked([one, other]: Two<Passage>): boolean {
  return label(one, other) !== label(other, one);
}

/** The labels between which the answer before let the customer choose, if it did. */
export function offeredBy(answer: string): Two<string> | null {
  const [one, other] = templates.askBack.readEnd(answer) ?? [];
  return one === undefined || other === undefined ? null : [one, other];
}

/**
 * Which of the labels a message picks, both included; `null` when it is about something else.
 *
 * @param text as `plainText` makes it.
 */
export function picked(offered: Two<string>, text: string): readonly string[] | null {
  if (first.test(text)) return [offered[0]];
  if (second.test(text)) return [offered[1]];
  if (both.test(text) || agrees(text)) return offered;
  const said = contentTerms(text);
  const [one, other] = offered.map((own) => {
    const terms = new Set(contentTerms(own));
    return said.filter((term) => terms.has(term)).length;
  });
  if (one === undefined || other === undefined || one === other) return null;
  // What shares but a word with a heading is a new question.
  return Math.max(one, other) * 2 >= said.length ? [offered[one > other ? 0 : 1]] : null;
}

/** Whether the label was made for this passage. */
export function isLabelOf(name: string, passage: Passage): boolean {
  return name === passage.heading || name === longLabel(passage);
}

/** The heading; with the article's title where the other one is headed alike. */
function label(passage: Passage, other: Passage): string {
  return passage.heading === other.heading ? longLabel(passage) : passage.heading;
}

function longLabel({ title, heading }: Passage): string {
  return `${title}: ${heading}`;
}
