import { contentTerms } from '../../knowledge/terms.ts';
import { goesOn } from './follow-up.ts';
import { smallTalkReply } from './small-talk.ts';

/** A message that asks more than this is taken as a whole. */
const maxQuestions = 5;

/** Behind a question mark, but for one within an address. */
const end = /(?<=\?) /;

/**
 * The questions of a message, each with what leads up to it; the message itself where it is one. What goes on
 * from the question before, or asks nothing that could be looked up, belongs to that.
 *
 * @param text as `plainText` makes it.
 */
export function questionsIn(text: string): readonly string[] {
  const questions: string[] = [];
  let leading = '';
  for (const said of text.split(end)) {
    const isFirst = questions.length === 0;
    if (asks(said) && (isFirst || !goesOn(said))) {
      questions.push(leading + said);
      leading = '';
    } else if (isFirst) leading += `${said} `;
    else questions.push(`${questions.pop()} ${said}`);
  }
  const areSeveral = questions.length > 1 && questions.length <= maxQuestions;
  return areSeveral ? questions : [text];
}

function asks(text: string): boolean {
  return text.endsWith('?') && contentTerms(text).length > 0 && smallTalkReply(text) === null;
}
