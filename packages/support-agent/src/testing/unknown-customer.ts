import type { SessionKnowledge } from '../model/model.ts';

/** A conversation of which nothing is known yet. */
export const unknownCustomer: SessionKnowledge = {
  facts: { email: null, phone: null, orderNumbers: [], ticketNumbers: [] },
  tickets: [],
  openTicket: null,
  unansweredInARow: 0,
  isFirstAnswer: true,
  clientChanges: [],
};
