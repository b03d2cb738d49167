import { contentTerms } from '../../knowledge/terms.ts';

const asksWhen =
  /^(?:(?:and|but|so|ok|okay|well|also|please)[ ,]+)*(?:(?:can|could) you tell me |do you know )?(?:(?:about |roughly )?how (?:much )?(?:long|longer|soon|fast|quickly|late)|how many (?:minutes|hours|days)|(?:by )?when|what time|until when)\b/i;
const asksForNews =
  /^(?:(?:and|so|ok|okay|is there|are there|have you|do you have|got)[ ,]+)*any (?:news|updates?)\b/i;

/** Says by itself that an answer is waited for. */
const answerer =
  /\b(?:some(?:one|body)|any(?:one|body)|persons?|humans?|agents?|answer(?:s|ed)?|repl(?:y|ies)|respon[ds]\w*|hear|wait(?:ing)?|tickets?|team|colleagues?|operator|in touch|get back|contact me|call me|write to me)\b/i;

/** Nothing in a question of these words has another topic. */
const waitingTerms: ReadonlySet<string> = new Set(
  contentTerms(
    'long longer much soon fast quickly late many minutes hours days time take last expect someone somebody anyone anybody person people human agent operator answer reply replies respond response hear back wait waiting ticket team colleague touch contact come happen news update read look support conversation chat message question real usually normally write talk speak call',
  ),
);

/**
 * Whether a message asks when the person comes for whom the conversation waits.
 *
 * @param text as `plainText` makes it, without a greeting.
 * @param wasTold whether the answer before was about the ticket: only then is it meant by "how long?".
 */
export function asksForPersonsTime(text: string, wasTold: boolean): boolean {
  if (!asksWhen.test(text) && !asksForNews.test(text)) return false;
  if (!contentTerms(text).every((term) => waitingTerms.has(term))) return false;
  return wasTold || answerer.test(text);
}
