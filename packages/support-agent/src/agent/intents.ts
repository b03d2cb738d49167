const person =
  '(?:human|(?:real |actual |live )?person|someone real|somebody real|(?:human |live )?agent|operator|representative|advisor|manager|member of staff|someone from (?:your|the) team)';
const request =
  "(?:talk|speak|chat|connect me|put me through|transfer me|hand me over|pass me on|i want|i need|i would like|i’d like|i'd like|get me|give me|let me have|can i have|could i have|can i get)";

/** Not "an agent orange jacket" or "a person tent": nothing but the request goes on from here. */
const clauseEnd =
  '(?=\\s*(?:$|[.,;:!?)]|(?:please|now|to|who|that|instead|here|about|for|with|from|in|on|and|asap)\\b))';

const asks = new RegExp(
  `\\b${request}\\b(?:\\s+(?:to|with|a|an|the|your|some|have|get|speak|talk|chat|please|now)\\b){0,6}\\s+${person}${clauseEnd}`,
  'i',
);
const onlyNames = new RegExp(`^\\W*(?:a |an |the )?${person}(?:,? please|,? now)?\\W*$`, 'i');

/** Whether the customer asks to talk to a person. Errs on the side of "no": the offer can be repeated. */
export function asksForHuman(text: string): boolean {
  return asks.test(text) || onlyNames.test(text);
}
