/** What the agent says by itself when the customer asks for a person. */
export const escalatedPhrase =
  'I pass your conversation on to our team. A person will answer you here; you do not need to repeat anything.';
