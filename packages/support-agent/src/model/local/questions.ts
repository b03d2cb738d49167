import { wordsOf } from '../../knowledge/question.ts';
import { contentTerms } from '../../knowledge/terms.ts';
import { clausesIn } from './clauses.ts';
import { asksMoreOf, goesOn } from './follow-up.ts';
import type { Question } from './question.ts';
import { smallTalkReply, splitQuestions } from './small-talk.ts';

/** A message that asks more than this is taken as a whole. */
const maxQuestions = 5;

/** With fewer words it may go on from the question before. */
const minWords = 2;

/**
 * The questions of a message; the message itself where it is one. What asks nothing that could be looked up
 * belongs to the question before.
 *
 * @param text as `plainText` makes it.
 */
export function questionsIn(text: string): readonly Question[] {
  const questions: Question[] = [];
  let leading = '';
  for (const said of splitQuestions(text)) {
    const last = questions.at(-1);
    if (!asks(said)) {
      if (last === undefined) leading += `${said} `;
      else questions.push({ ...last, text: `${questions.pop()?.text} ${said}` });
    } else if (last !== undefined && mayGoOn(said)) {
      questions.push({ text: said, lead: last.lead ?? last.text, isSure: true });
    } else {
      questions.push({ text: leading + said, lead: null, isSure: true });
      leading = '';
    }
  }
  const whole = { text, lead: null, isSure: true };
  const found = questions.length > 1 ? questions : clausesIn(questions[0]?.text ?? text);
  return found.length > 1 && found.length <= maxQuestions ? found : [whole];
}

/** Whether a question is meant as going on from the one before, or says too little to tell. */
function mayGoOn(text: string): boolean {
  return goesOn(text) || asksMoreOf(text) || wordsOf(text).length < minWords;
}

function asks(text: string): boolean {
  if (!/\?!*$/.test(text) || smallTalkReply(text) !== null) return false;
  return contentTerms(text).length > 0 || asksMoreOf(text);
}
