import { describe, expect, it } from 'vitest';
import { IdempotencyMismatchError } from '../errors/errors.ts';
import { maxOutcomeBytes, maxOutcomes } from '../model/limits.ts';
import { OutcomeLedger, outcomeBytes } from './outcome-ledger.ts';

const ttlMs = 1_000;
const keyed = (key: string, requestDigest = 'digest') => ({ key, requestDigest });
const effects = ['a0:x', 'a1:y', 'i0:z'];
const nothing: string[] = [];

function ledgerWith(...keys: string[]): OutcomeLedger {
  const ledger = new OutcomeLedger(ttlMs);
  for (const key of keys) ledger.complete(keyed(key), key, 0);
  return ledger;
}

/** The keys among these whose outcome is known. */
const known = (ledger: OutcomeLedger, keys: readonly string[], now = 0) =>
  keys.filter((key) => ledger.find(keyed(key), now) !== null);

describe('OutcomeLedger', () => {
  it('knows nothing of a new key', () => {
    expect(new OutcomeLedger(ttlMs).find(keyed('k'), 0)).toBeNull();
  });

  it('has the outcome of a turn that is done, of one that returned nothing too', () => {
    const ledger = new OutcomeLedger(ttlMs);
    ledger.open(keyed('k'), 0);
    expect(ledger.find(keyed('k'), 0)).toBeNull();
    ledger.complete(keyed('k'), { answer: 42 }, 0);
    ledger.complete(keyed('empty'), undefined, 0);
    ledger.complete(keyed('null'), null, 0);
    expect(ledger.find(keyed('k'), 0)).toEqual({ outcome: { answer: 42 } });
    expect(ledger.find(keyed('empty'), 0)).toEqual({ outcome: undefined });
    expect(ledger.find(keyed('null'), 0)).toEqual({ outcome: null });
  });

  it('refuses a known key with another request, whether its turn is done or runs', () => {
    const ledger = ledgerWith('done');
    ledger.open(keyed('running'), 0);
    for (const key of ['done', 'running']) {
      expect(() => ledger.find(keyed(key, 'other'), 0)).toThrow(IdempotencyMismatchError);
      expect(() => ledger.find(keyed(key), 0)).not.toThrow();
    }
  });

  it('counts attempts, and says what the earlier ones have stored', () => {
    const ledger = new OutcomeLedger(ttlMs);
    expect(ledger.open(keyed('k'), 0)).toEqual({ attempt: 1, effects: nothing });
    expect(ledger.open(keyed('k'), 0)).toEqual({ attempt: 2, effects: nothing });
    ledger.checkpoint(keyed('k'), effects, 0);
    expect(ledger.open(keyed('k'), 0)).toEqual({ attempt: 3, effects });
    expect(ledger.open(keyed('other'), 0)).toEqual({ attempt: 1, effects: nothing });
  });

  it('forgets a failed attempt that stored nothing', () => {
    const ledger = new OutcomeLedger(ttlMs);
    ledger.open(keyed('k'), 0);
    ledger.abandon('k');
    expect(ledger.find(keyed('k', 'other'), 0)).toBeNull();
    expect(ledger.open(keyed('k'), 0).attempt).toBe(1);
  });

  it.each([
    ['appended', ['a0:x']],
    ['incremented', ['i0:x']],
  ])('remembers a failed attempt that %s something', (_, stored) => {
    const ledger = new OutcomeLedger(ttlMs);
    ledger.open(keyed('k'), 0);
    ledger.checkpoint(keyed('k'), stored, 0);
    ledger.abandon('k');
    expect(ledger.open(keyed('k'), 0)).toEqual({ attempt: 2, effects: stored });
  });

  it('keeps the outcome of a turn that is done from being abandoned', () => {
    const ledger = ledgerWith('k');
    ledger.abandon('k');
    ledger.abandon('unknown');
    expect(known(ledger, ['k'])).toEqual(['k']);
  });

  it('takes the checkpoint of a key that a rival has abandoned', () => {
    const ledger = new OutcomeLedger(ttlMs);
    ledger.checkpoint(keyed('k'), effects, 0);
    expect(ledger.open(keyed('k'), 0)).toEqual({ attempt: 2, effects });
  });

  it('forgets a key at the end of its time to live, to the millisecond', () => {
    const ledger = ledgerWith('k');
    expect(known(ledger, ['k'], ttlMs - 1)).toEqual(['k']);
    expect(known(ledger, ['k'], ttlMs)).toEqual([]);
    expect(ledger.find(keyed('k', 'other'), ttlMs)).toBeNull();
  });

  it('counts the time to live from the last attempt, checkpoint or outcome', () => {
    const ledger = new OutcomeLedger(ttlMs);
    ledger.open(keyed('k'), 0);
    ledger.checkpoint(keyed('k'), effects, 600);
    expect(ledger.open(keyed('k'), 1_200)).toEqual({ attempt: 2, effects });
    ledger.complete(keyed('k'), 'done', 1_800);
    expect(known(ledger, ['k'], 2_799)).toEqual(['k']);
    expect(known(ledger, ['k'], 2_800)).toEqual([]);
  });

  it('forgets only the keys whose time has come', () => {
    const ledger = ledgerWith('a', 'b');
    ledger.complete(keyed('a'), 'again', 500);
    ledger.complete(keyed('c'), 'c', 600);
    expect(known(ledger, ['a', 'b', 'c'], ttlMs)).toEqual(['a', 'c']);
  });

  it('keeps so many outcomes, the newest', () => {
    const keys = Array.from({ length: maxOutcomes + 2 }, (_, index) => `k${index}`);
    expect(known(ledgerWith(...keys), keys)).toEqual(keys.slice(2));
  });

  it('keeps so many bytes, the newest', () => {
    const ledger = new OutcomeLedger(ttlMs);
    const third = 'x'.repeat(maxOutcomeBytes / 3);
    const keys = ['a', 'b', 'c', 'd'];
    for (const key of keys) ledger.complete(keyed(key), third, 0);
    expect(known(ledger, keys)).toEqual(['c', 'd']);
  });

  it('counts the bytes of what is there, not of what was', () => {
    const ledger = new OutcomeLedger(ttlMs);
    const third = 'x'.repeat(maxOutcomeBytes / 3);
    for (let time = 0; time < 10; time += 1) ledger.complete(keyed('same'), third, 0);
    ledger.complete(keyed('other'), third, 0);
    expect(known(ledger, ['same', 'other'])).toEqual(['same', 'other']);
    ledger.complete(keyed('late'), third, ttlMs);
    ledger.complete(keyed('later'), third, ttlMs);
    expect(known(ledger, ['late', 'later'], ttlMs)).toEqual(['late', 'later']);
  });

  it('keeps the newest outcome even when it is over the budget alone', () => {
    const ledger = ledgerWith('small');
    ledger.complete(keyed('large'), 'x'.repeat(maxOutcomeBytes), 0);
    expect(known(ledger, ['small', 'large'])).toEqual(['large']);
  });

  it('counts what a running turn has stored', () => {
    const ledger = ledgerWith('old');
    ledger.open(keyed('k', 'd'.repeat(43)), 0);
    const digests = Array.from({ length: maxOutcomeBytes / 43 }, () => 'd'.repeat(43));
    ledger.checkpoint(keyed('k', 'd'.repeat(43)), digests, 0);
    expect(known(ledger, ['old'])).toEqual([]);
  });
});

describe('outcomeBytes', () => {
  it('are the bytes of its JSON; nothing has none', () => {
    expect([undefined, null, 'é', { a: 1 }].map(outcomeBytes)).toEqual([0, 4, 4, 7]);
  });
});
