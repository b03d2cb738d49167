import { describe, expect, it } from 'vitest';
import type { Passage } from '../../knowledge/passage.ts';
import { judgeFollowUp } from './findings.ts';
import type { Topic } from './follow-up.ts';

function passage(id: string, text: string, rest: Partial<Passage> = {}): Passage {
  const title = id.split('#')[0] ?? '';
  return { id, title, heading: 'Section', text, score: 10, coverage: 0.8, ...rest };
}

const cited = passage('care#down', 'Dry down at low heat.');
const bound: Topic = { text: 'Care', cited, isMeant: true, isBound: true };
const unbound: Topic = { ...bound, isBound: false };

function answered(
  question: string,
  topic: Topic,
  found: { own?: readonly Passage[]; together?: readonly Passage[] },
): string | null {
  const finding = judgeFollowUp(found.own ?? [], found.together ?? [], question, topic);
  return finding.kind === 'answer' ? (finding.cited[0]?.passage.id ?? null) : null;
}

describe('a message that goes on', () => {
  const rain = passage('care#rain', 'Let a jacket dry.', {
    coverage: 0.9,
    heading: 'Dry a jacket',
  });
  const heat = passage('care#heat', 'Tumble dry at low heat.');
  const other = passage('hire#prices', 'Rent dry tents.', { coverage: 0.9 });

  it('is answered from the section that was cited where none has more of it', () => {
    expect(answered('can i tumble dry it', bound, { together: [rain, cited] })).toBe('care#down');
    expect(answered('can i tumble dry it', bound, { together: [rain] })).toBe('care#down');
    expect(answered('can i tumble dry it', bound, { together: [rain, heat] })).toBe('care#heat');
  });

  it('is answered from another article only if it says by itself what it is about', () => {
    const own = [other];
    expect(answered('not rent either', bound, { own })).toBeNull();
    expect(answered('not rent either', bound, { together: [other] })).toBeNull();
    expect(answered('is it possible to rent tents', bound, { own })).toBe('hire#prices');
    expect(answered('and rent?', unbound, { own })).toBe('hire#prices');
  });

  it('is not known with any sureness where it has no answer', () => {
    const finding = judgeFollowUp([other], [], 'not rent either', bound);
    expect(finding).toEqual({ kind: 'nothing', confidence: 0.45 });
  });

  it('needs a word of its own in the section, unless it asks for more than yes or no', () => {
    const together = [passage('care#cost', 'We charge £3.00.')];
    expect(answered('do i pay for that?', bound, { together })).toBeNull();
    expect(answered('how do i pay for that?', bound, { together })).toBe('care#cost');
    const named = [passage('care#cost', 'Pay £3.00.')];
    expect(answered('do i pay for that?', bound, { together: named })).toBe('care#cost');
  });

  it('is answered from any article where none was cited', () => {
    expect(answered('and dry?', { ...bound, cited: null }, { together: [other] })).toBe(
      'hire#prices',
    );
  });

  it('is as sure as the section fits it, and no surer than the section was', () => {
    expect(judgeFollowUp([], [], 'can i tumble dry it', bound)).toMatchObject({ confidence: 0.5 });
    expect(judgeFollowUp([], [], 'and dry?', bound)).toMatchObject({ confidence: 0.8 });
  });
});
