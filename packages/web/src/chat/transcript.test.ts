import { describe, expect, it } from 'vitest';
import type { PastMessage } from '../wire.ts';
import { Transcript } from './transcript.ts';

const page = (from: number, to: number, before: number | null) => ({
  messages: Array.from({ length: to - from + 1 }, (_, index): PastMessage => {
    const seq = from + index;
    const none = { sources: [], escalated: false, ticket: null };
    return { seq, role: 'user', text: `message ${seq}`, at: seq, ...none } as PastMessage;
  }),
  before,
});

const seqs = (transcript: Transcript) => transcript.past.map(({ seq }) => seq);

describe('Transcript', () => {
  it('puts pages together that touch or overlap, in any order', () => {
    const transcript = new Transcript();
    transcript.merge(page(5, 8, 5));
    transcript.merge(page(8, 10, 8));
    transcript.merge(page(11, 12, 11));
    transcript.merge(page(2, 4, 2));
    expect(seqs(transcript)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(transcript.earlier).toBe(2);
  });

  it('begins anew behind a gap, so that what is missing can be loaded', () => {
    const transcript = new Transcript();
    transcript.merge(page(1, 4, null));
    transcript.merge(page(8, 10, 8));
    expect(seqs(transcript)).toEqual([8, 9, 10]);
    expect(transcript.earlier).toBe(8);
    transcript.merge(page(5, 7, 5));
    expect(seqs(transcript)).toEqual([5, 6, 7, 8, 9, 10]);
    expect(transcript.earlier).toBe(5);
  });
});
