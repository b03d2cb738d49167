import { describe, expect, it } from 'vitest';
import { ValidationError } from '../errors/errors.ts';
import { maxCounters, maxMetadataBytes } from './limits.ts';
import {
  applyPatch,
  assertIncrement,
  incremented,
  parseInit,
  parsePatch,
  parseStatus,
} from './state.ts';

const { state: initial } = parseInit('s', {
  userId: 'ada',
  threadId: 't',
  metadata: { plan: 'pro', address: { city: 'Paris' } },
});

describe('parseInit', () => {
  it('fills in what is left out', () => {
    const { state, counters } = parseInit('s', {});
    expect(state).toEqual({
      userId: null,
      threadId: expect.stringMatching(/^[A-Za-z0-9_-]{24}$/),
      status: 'active',
      escalated: false,
      metadata: {},
    });
    expect(counters.size).toBe(0);
    expect(parseInit('s', {}).state.threadId).not.toBe(state.threadId);
  });

  it('takes a session as it was read, and ignores what only the store sets', () => {
    const { state, counters } = parseInit('s', {
      id: 's',
      userId: 'ada',
      threadId: 't',
      status: 'handed_over',
      escalated: true,
      messageCount: 3,
      counters: { messageCount: 3, tools: -1 },
      metadata: { a: 1 },
      createdAt: 1,
      updatedAt: 2,
      lastActivity: 3,
      expiresAt: 4,
      version: 5,
    });
    expect(state).toEqual({
      userId: 'ada',
      threadId: 't',
      status: 'handed_over',
      escalated: true,
      metadata: { a: 1 },
    });
    expect([...counters]).toEqual([
      ['messageCount', 3],
      ['tools', -1],
    ]);
  });

  it('freezes a copy of the metadata', () => {
    const metadata = { list: [1] };
    const { state } = parseInit('s', { metadata });
    metadata.list.push(2);
    expect(state.metadata).toEqual({ list: [1] });
    expect([state, state.metadata, state.metadata.list].every(Object.isFrozen)).toBe(true);
  });

  it.each<readonly [string, unknown, RegExp]>([
    ['no object', [], /must be an object/],
    ['another id', { id: 'other' }, /has another id/],
    ['a malformed user id', { userId: 'a b' }, /^userId must be/],
    ['an empty thread id', { threadId: '' }, /^threadId must be/],
    ['a thread id of null', { threadId: null }, /^threadId must be/],
    ['an unknown status', { status: 'open' }, /status must be one of active, handed_over, closed/],
    ['escalated as a string', { escalated: 'true' }, /escalated must be true or false/],
    ['metadata that is a list', { metadata: [] }, /metadata must be a JSON object/],
    ['metadata of null', { metadata: null }, /metadata must be a JSON object, not null/],
    ['an unknown field', { plan: 'pro' }, /no field "plan"; put it inside metadata/],
    ['__proto__', JSON.parse('{"__proto__":{"userId":"eve"}}'), /no field "__proto__"/],
    [
      '__proto__ in its metadata',
      JSON.parse('{"metadata":{"__proto__":{"admin":true}}}'),
      /metadata has the key "__proto__"/,
    ],
    ['counters that are a list', { counters: [1] }, /counters must be an object of whole numbers/],
    ['a fractional counter', { counters: { a: 0.5 } }, /steps by whole numbers/],
    ['a counter as a string', { counters: { a: '1' } }, /steps by whole numbers/],
    ['a malformed counter name', { counters: { 'a b': 1 } }, /A counter name must be/],
    [
      'too many counters',
      { counters: Object.fromEntries(Array.from({ length: 129 }, (_, n) => [`c${n}`, n])) },
      /at most 128 counters/,
    ],
    ['too much metadata', { metadata: { a: 'x'.repeat(maxMetadataBytes) } }, /at most 1048576/],
  ])('refuses %s', (_, init, reason) => {
    expect(() => parseInit('s', init)).toThrow(ValidationError);
    expect(() => parseInit('s', init)).toThrow(reason);
  });
});

describe('parsePatch', () => {
  it.each([
    'id',
    'version',
    'counters',
    'messageCount',
    'createdAt',
    'updatedAt',
    'lastActivity',
    'expiresAt',
  ])('refuses to set %s, also to undefined', (field) => {
    expect(() => parsePatch({ [field]: 1 })).toThrow(ValidationError);
    expect(() => parsePatch({ [field]: undefined })).toThrow(`may not name "${field}"`);
  });

  it('says how counters are changed', () => {
    expect(() => parsePatch({ messageCount: 1 })).toThrow(/use incrementCounter/);
    expect(() => parsePatch({ version: 1 })).not.toThrow(/use incrementCounter/);
  });

  it.each<readonly [string, unknown, RegExp]>([
    ['null', null, /patch must be an object/],
    ['a list', [], /patch must be an object/],
    ['__proto__', JSON.parse('{"__proto__":{}}'), /no field "__proto__"/],
    ['an unknown field', { colour: 1 }, /no field "colour"/],
    ['a status of null', { status: null }, /status must be one of/],
    ['metadata that is not JSON', { metadata: { f: () => 1 } }, /metadata\.f is a function/],
  ])('refuses %s', (_, patch, reason) => {
    expect(() => parsePatch(patch)).toThrow(ValidationError);
    expect(() => parsePatch(patch)).toThrow(reason);
  });

  it('leaves out what is undefined, and keeps null where it means something', () => {
    expect(parsePatch({ escalated: undefined, userId: null, metadata: { a: null } })).toEqual({
      userId: null,
      metadata: { a: null },
    });
  });

  it('freezes what it returns', () => {
    expect(Object.isFrozen(parsePatch({ escalated: true }))).toBe(true);
  });
});

describe('applyPatch', () => {
  const patched = (patch: object) => applyPatch(initial, parsePatch(patch));

  it('changes what the patch names and nothing else', () => {
    expect(patched({ escalated: true })).toEqual({ ...initial, escalated: true });
    expect(patched({ status: 'closed', threadId: 'u' })).toEqual({
      ...initial,
      status: 'closed',
      threadId: 'u',
    });
    expect(patched({})).toEqual(initial);
  });

  it('merges metadata (RFC 7396): null removes a key', () => {
    expect(patched({ metadata: { plan: null, address: { zip: '75001' } } }).metadata).toEqual({
      address: { city: 'Paris', zip: '75001' },
    });
  });

  it('logs the user out with null', () => {
    expect(patched({ userId: null }).userId).toBeNull();
  });

  it('keeps the very metadata when the patch has none', () => {
    expect(patched({ escalated: true }).metadata).toBe(initial.metadata);
  });

  it('does not change the state it is given, and freezes what it returns', () => {
    const before = structuredClone(initial);
    const after = patched({ metadata: { address: { city: null } }, escalated: true });
    expect(initial).toEqual(before);
    expect([after, after.metadata, after.metadata.address].every(Object.isFrozen)).toBe(true);
  });

  it('refuses metadata that grows over 1 MB by parts that each fit', () => {
    const half = { metadata: { a: 'x'.repeat(maxMetadataBytes / 2) } };
    const other = { metadata: { b: 'x'.repeat(maxMetadataBytes / 2) } };
    const once = applyPatch(initial, parsePatch(half));
    expect(() => applyPatch(once, parsePatch(other))).toThrow(/at most 1048576 are allowed/);
  });
});

describe('assertIncrement', () => {
  it.each([0, 1, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])('takes %d', (by) => {
    expect(() => assertIncrement('n', by)).not.toThrow();
  });

  it.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1', null, undefined, 1n])(
    'refuses to step by %s',
    (by) => {
      expect(() => assertIncrement('n', by)).toThrow(ValidationError);
    },
  );

  it.each(['constructor', '__proto__', 'prototype', '', 'a b', 7])(
    'refuses the name %j',
    (name) => {
      expect(() => assertIncrement(name, 1)).toThrow(ValidationError);
    },
  );
});

describe('incremented', () => {
  it('starts at 0', () => {
    expect(incremented(new Map(), 'n', 3)).toBe(3);
    expect(incremented(new Map([['n', 4]]), 'n', -5)).toBe(-1);
  });

  it('refuses to leave the safe integers', () => {
    const most = new Map([['n', Number.MAX_SAFE_INTEGER]]);
    expect(incremented(most, 'n', 0)).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => incremented(most, 'n', 1)).toThrow(/leave the safe integers/);
  });

  it('refuses one counter too many, and still steps those there are', () => {
    const full = new Map(Array.from({ length: maxCounters }, (_, n) => [`c${n}`, 1]));
    expect(incremented(full, 'c0', 1)).toBe(2);
    expect(() => incremented(full, 'another', 1)).toThrow(/at most 128 counters/);
  });
});

describe('parseStatus', () => {
  it.each(['active', 'handed_over', 'closed'])('takes %s', (status) => {
    expect(parseStatus(status)).toBe(status);
  });

  it.each(['ACTIVE', '', null, undefined, ['active'], 'toString'])('refuses %j', (status) => {
    expect(() => parseStatus(status)).toThrow(ValidationError);
  });
});
