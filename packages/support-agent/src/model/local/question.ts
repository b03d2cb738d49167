import { wordsOf } from '../../knowledge/question.ts';
import { asksMoreOf } from './follow-up.ts';

/** What a message asks. */
export interface Question {
  /** With what leads up to it. */
  readonly text: string;
  /** The question of the same message that it goes on from, or may go on from. */
  readonly lead: string | null;
  /** Whether it is surely a question: a sentence may only look as if it had several. */
  readonly isSure: boolean;
}

/** What is looked up for a question. */
export function queriesFor({ text, lead }: Question): readonly string[] {
  return lead === null ? [text] : [text, `${text} ${lead}`];
}

/** Whether it would be missed if there was no answer to it. */
export function asksForSomething({ text, lead }: Question): boolean {
  return wordsOf(text).length > 0 || (lead !== null && asksMoreOf(text));
}
