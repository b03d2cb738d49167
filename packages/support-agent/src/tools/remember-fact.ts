import { z } from 'zod';
import { type Fact, factKinds, factProblem, knownValues, normalizeFact } from './fact.ts';
import { type CustomerFacts, maxNumbers, readSupport } from './support-record.ts';
import { defineTool } from './tool.ts';

export const rememberFact = defineTool({
  name: 'remember_fact',
  description:
    'Remembers for the rest of the conversation something that the customer told about themselves: an email address, a phone number, an order number or a ticket number.',
  input: z
    .strictObject({ kind: z.enum(factKinds), value: z.string().max(254) })
    .transform(normalizeFact)
    .superRefine((fact, context) => {
      const message = factProblem(fact);
      if (message !== undefined) context.addIssue({ code: 'custom', path: ['value'], message });
    }),
  run(fact, { turn }) {
    const { facts } = readSupport(turn.current.metadata);
    const isNew = !knownValues(facts, fact.kind).includes(fact.value);
    if (isNew) turn.update({ metadata: { support: { facts: withFact(facts, fact) } } });
    return { remembered: fact, is_new: isNew };
  },
});

/** The merge patch that adds a fact. */
function withFact({ orderNumbers, ticketNumbers }: CustomerFacts, { kind, value }: Fact) {
  switch (kind) {
    case 'email':
      return { email: value };
    case 'phone':
      return { phone: value };
    case 'order_number':
      return { order_numbers: [...orderNumbers, value].slice(-maxNumbers) };
    case 'ticket_number':
      return { ticket_numbers: [...ticketNumbers, value].slice(-maxNumbers) };
  }
}
