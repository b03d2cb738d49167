import { z } from 'zod';
import { type CustomerFacts, maxNumberLength } from './support-record.ts';

export const factKinds = ['email', 'phone', 'order_number', 'ticket_number'] as const;

export type FactKind = (typeof factKinds)[number];

/** Something that a customer told about themselves, in the form in which it is remembered. */
export type Fact = { readonly kind: FactKind; readonly value: string };

const number = z
  .string()
  .max(maxNumberLength)
  .regex(/^[\p{L}\p{N}][\p{L}\p{N}/-]*$/u, 'must be letters, digits, hyphens and slashes');

/** What a fact of each kind looks like once `normalizeFact` has gone over it. */
const forms: Readonly<Record<FactKind, z.ZodType<string>>> = {
  email: z.email().max(254),
  phone: z.string().regex(/^\+?\d{7,15}$/, 'must be 7 to 15 digits, with + for another country'),
  order_number: number,
  ticket_number: number,
};

/** One form for all spellings, so that nothing is remembered twice. */
export function normalizeFact({ kind, value }: Fact): Fact {
  const trimmed = value.trim();
  if (kind === 'email') return { kind, value: trimmed.toLowerCase() };
  if (kind === 'phone') {
    const digits = trimmed.replace(/\(0\)/, '').replace(/[\s().-]/g, '');
    return { kind, value: digits.replace(/^00/, '+') };
  }
  return { kind, value: trimmed.toUpperCase() };
}

/** What is wrong with a normalised fact, if anything is. */
export function factProblem({ kind, value }: Fact): string | undefined {
  return forms[kind].safeParse(value).error?.issues[0]?.message;
}

/** What is remembered of a kind, oldest first. */
export function knownValues(facts: CustomerFacts, kind: FactKind): readonly string[] {
  switch (kind) {
    case 'email':
      return facts.email === null ? [] : [facts.email];
    case 'phone':
      return facts.phone === null ? [] : [facts.phone];
    case 'order_number':
      return facts.orderNumbers;
    case 'ticket_number':
      return facts.ticketNumbers;
  }
}
