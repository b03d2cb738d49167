import { describe, expect, it } from 'vitest';
import { splitTickets } from './ticket-ids.ts';

describe('splitTickets', () => {
  it.each([
    ['', []],
    ['Hello', ['Hello']],
    ['T-45N47G4G', ['[T-45N47G4G]']],
    ['your ticket is T-45N47G4G. Bye', ['your ticket is ', '[T-45N47G4G]', '. Bye']],
    ['T-45N47G4G, T-00000000', ['[T-45N47G4G]', ', ', '[T-00000000]']],
    ['a T-shirt, XT-45N47G4G and T-45N47G4G5', ['a T-shirt, XT-45N47G4G and T-45N47G4G5']],
    ['<b>T-45N47G4G</b>', ['<b>', '[T-45N47G4G]', '</b>']],
  ])('of %j are %j', (text, parts) => {
    const found = splitTickets(text);
    expect(found.map(({ part, isTicket }) => (isTicket ? `[${part}]` : part))).toEqual(parts);
    expect(found.map(({ part }) => part).join('')).toBe(text);
    expect(found.every(({ at, part }) => text.startsWith(part, at))).toBe(true);
  });
});
