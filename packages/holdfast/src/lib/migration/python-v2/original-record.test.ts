import { beforeAll, describe, expect, it } from 'vitest';
import { OriginalKeys } from './original-keys.ts';
import { readRecord } from './original-record.ts';

const whole = {
  session_id: 's-1',
  user_id: 'ada',
  thread_id: 't-1',
  message_count: 3,
  escalated: true,
  metadata: { plan: 'pro' },
  request_id: 'r-1',
  created_at: '2026-01-02T03:04:05.678901',
  updated_at: '2026-01-02T03:04:06',
  last_activity: '2026-01-02T03:04:07.000999',
  fingerprint: 'f'.repeat(64),
};

let keys: OriginalKeys;
beforeAll(async () => {
  keys = await OriginalKeys.of([]);
});

const read = (changes: object = {}) =>
  readRecord('s-1', Buffer.from(JSON.stringify({ ...whole, ...changes })), keys);

describe('a record of Python v2.0', () => {
  it('is read with all that Holdfast has a place for', () => {
    expect(read()).toEqual({
      init: {
        userId: 'ada',
        threadId: 't-1',
        escalated: true,
        counters: { messageCount: 3 },
        metadata: { plan: 'pro', pythonV2: { requestId: 'r-1' } },
      },
      times: {
        createdAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
        updatedAt: Date.UTC(2026, 0, 2, 3, 4, 6),
        lastActivity: Date.UTC(2026, 0, 2, 3, 4, 7),
      },
    });
  });

  it.each([
    ['2026-01-02T03:04:05', Date.UTC(2026, 0, 2, 3, 4, 5)],
    ['2026-01-02 03:04:05.1', Date.UTC(2026, 0, 2, 3, 4, 5, 100)],
    ['2026-01-02T03:04:05.999999Z', Date.UTC(2026, 0, 2, 3, 4, 5, 999)],
    ['2026-01-02T03:04:05+00:00', Date.UTC(2026, 0, 2, 3, 4, 5)],
    ['2026-01-02T03:04:05.123456-05:30', Date.UTC(2026, 0, 2, 8, 34, 5, 123)],
  ])('has the time %s', (text, at) => {
    expect(read({ created_at: text }).times.createdAt).toBe(at);
  });

  it.each(['2026-13-02T03:04:05', '2026-01-02', '1969-01-02T03:04:05', 'today', 7])(
    'cannot have the time %s',
    (text) => {
      expect(() => read({ created_at: text })).toThrow(/^has a created_at that is no .*time/);
    },
  );

  it('may lack times of use: then they are those before', () => {
    const { times } = read({ updated_at: null, last_activity: null });
    expect(new Set(Object.values(times)).size).toBe(1);
  });

  it('keeps metadata of the name that the rest goes under', () => {
    expect(read({ metadata: { pythonV2: 'own' } }).init.metadata).toEqual({ pythonV2: 'own' });
    expect(read({ metadata: { pythonV2: { a: 1 } } }).init.metadata).toEqual({
      pythonV2: { requestId: 'r-1', a: 1 },
    });
    expect(read({ request_id: null }).init.metadata).toEqual({ plan: 'pro' });
  });

  it('keeps fields that Python had put beside its own', () => {
    expect(read({ tool_calls: 2, notes: ['a'] }).init.metadata).toEqual({
      plan: 'pro',
      pythonV2: { requestId: 'r-1', fields: { tool_calls: 2, notes: ['a'] } },
    });
  });

  it.each([
    ['9007199254740992', false],
    ['-9007199254740993', false],
    ['1e300', true],
    ['9007199254740991', true],
    ['0.12345678901234567', true],
    ['"12345678901234567890"', true],
    ['"a \\" 12345678901234567890"', true],
  ])('with the value %s in it is taken: %s', (value, isTaken) => {
    const text = JSON.stringify(whole).replace('"plan":"pro"', `"plan":${value}`);
    const take = () => readRecord('s-1', Buffer.from(text), keys);
    if (isTaken) expect(take().init.metadata).toMatchObject({ plan: JSON.parse(value) });
    else expect(take).toThrow('beyond 2^53');
  });

  it.each([
    ['another session', { session_id: 's-2' }],
    ['user_id', { user_id: 'a secret' }],
    ['user_id', { user_id: 7 }],
    ['thread_id', { thread_id: 'a secret' }],
    ['message_count', { message_count: 1.5 }],
    ['escalated', { escalated: 'secret' }],
    ['request_id', { request_id: { secret: 1 } }],
    ['metadata', { metadata: 'secret' }],
    ['metadata', { metadata: { prototype: 'secret' } }],
    ['session_id', { session_id: undefined }],
  ])('that is wrong says so, without what it holds: %s', (what, changes) => {
    expect(() => read(changes)).toThrow(what);
    expect(() => read(changes)).not.toThrow('secret');
  });
});
