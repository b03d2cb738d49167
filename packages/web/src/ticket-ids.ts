/** As the agent makes them: `T-` and 8 characters of Crockford's base 32. */
const ticketId = /(?<![\w-])(T-[0-9A-HJKMNP-TV-Z]{8})(?![\w-])/;

export interface TextPart {
  /** Where it begins, in UTF-16 units. */
  readonly at: number;
  readonly part: string;
  readonly isTicket: boolean;
}

/** A text's parts in their order, which make up the whole of it: the ids of tickets, and what is around them. */
export function splitTickets(text: string): TextPart[] {
  let at = 0;
  return text
    .split(ticketId)
    .map((part, index) => {
      const start = at;
      at += part.length;
      return { at: start, part, isTicket: index % 2 === 1 };
    })
    .filter(({ part }) => part !== '');
}
