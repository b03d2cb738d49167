import { describe, expect, it } from 'vitest';
import { parseRedirect, parseSlots, slotOf } from './cluster-slots.ts';

describe('slotOf', () => {
  // As `CLUSTER KEYSLOT` of Redis 7.0.15 answers.
  it.each([
    ['', 0],
    ['123456789', 12_739],
    ['foo', 12_182],
    ['{foo}', 12_182],
    ['agent:session:s:{foo}:user-123', 12_182],
    ['a{foo}{bar}', 12_182],
    ['{}foo', 9_500],
    ['foo{', 7_673],
    ['größe', 9_425],
  ])('of %j is %i', (key, slot) => {
    expect(slotOf(key)).toBe(slot);
  });
});

describe('a redirection', () => {
  it.each([
    ['MOVED 3999 127.0.0.1:6381', { slot: 3999, place: { host: '127.0.0.1', port: 6381 } }],
    ['ASK 1 ::1:6381', { slot: 1, place: { host: '::1', port: 6381 } }],
    ['MOVED 1 [::1]:6381', { slot: 1, place: { host: '::1', port: 6381 } }],
    ['MOVED 0 :6381', { slot: 0, place: { host: 'asked', port: 6381 } }],
    ['MOVED 0 ?:6381', { slot: 0, place: { host: 'asked', port: 6381 } }],
  ])('is read: %s', (message, redirect) => {
    expect(parseRedirect(message, 'asked')).toEqual(redirect);
  });

  it('is no other error', () => {
    expect(parseRedirect('CROSSSLOT Keys in request', 'asked')).toBeNull();
  });
});

it('ranges are read, the unknown host of the one that was asked included', () => {
  const node = (host: string | null, port: number) => [
    host === null ? null : Buffer.from(host),
    port,
    Buffer.from('id'),
  ];
  const reply = [
    [0, 5460, node('10.0.0.1', 7000), node('10.0.0.2', 7001)],
    [5461, 16_383, node(null, 7002)],
  ];
  expect(parseSlots(reply, 'asked')).toEqual([
    {
      ...{ from: 0, to: 5460, primary: { host: '10.0.0.1', port: 7000 } },
      replicas: [{ host: '10.0.0.2', port: 7001 }],
    },
    { from: 5461, to: 16_383, primary: { host: 'asked', port: 7002 }, replicas: [] },
  ]);
});
