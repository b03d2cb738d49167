const fromStart = 3_000;
const fromEnd = 1_000;

/**
 * A message as intents and facts are looked for in it: bounded, since patterns may take time in the
 * square of a text's length, with straight apostrophes and single spaces.
 */
export function plainText(message: string): string {
  const bounded =
    message.length <= fromStart + fromEnd
      ? message
      : `${message.slice(0, fromStart)}\n${message.slice(-fromEnd)}`;
  return bounded.replaceAll('’', "'").replace(/\s+/g, ' ').trim();
}
