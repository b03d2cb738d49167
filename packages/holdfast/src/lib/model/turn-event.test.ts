import { describe, expect, it } from 'vitest';
import { ValidationError } from '../errors/errors.ts';
import { endsTurn, type LiveOutput, prepareOutput, turnEvents } from './turn-event.ts';

describe('prepareOutput', () => {
  it('takes any JSON object with a type, as a frozen copy', () => {
    const output = { type: 'text', text: 'hello', parts: [{ a: 1 }] };
    const prepared = prepareOutput(output);
    output.parts.push({ a: 2 });
    expect(prepared).toEqual({ type: 'text', text: 'hello', parts: [{ a: 1 }] });
    expect([prepared, prepared.parts].every(Object.isFrozen)).toBe(true);
  });

  it.each<readonly [string, unknown, RegExp]>([
    ['a string', 'text', /must be a JSON object/],
    ['no type', { text: 'x' }, /needs a type/],
    ['an empty type', { type: '' }, /needs a type/],
    ['a type that is a number', { type: 1 }, /needs a type/],
    ["one of Holdfast's types", { type: 'turn.completed' }, /are Holdfast's own/],
    ['a type like one of them', { type: 'turn.x' }, /are Holdfast's own/],
    ['a place', { type: 'text', seq: 1 }, /may not name "seq"/],
    ['a turn', { type: 'text', turnId: '1' }, /may not name "turnId"/],
    ['a time', { type: 'text', createdAt: 1 }, /may not name "createdAt"/],
    ['what is not JSON', { type: 'text', at: new Date(0) }, /Live output\.at is an instance/],
  ])('refuses %s', (_, output, reason) => {
    expect(() => prepareOutput(output as LiveOutput)).toThrow(ValidationError);
    expect(() => prepareOutput(output as LiveOutput)).toThrow(reason);
  });
});

describe('turnEvents', () => {
  const placed = (output: object) => ({ seq: 1, turnId: '1', createdAt: 0, type: '', ...output });

  it('begin and end a turn', () => {
    expect(turnEvents.started(2)).toEqual({ type: 'turn.started', attempt: 2 });
    expect(turnEvents.completed()).toEqual({ type: 'turn.completed' });
    expect(turnEvents.failed('LEASE_LOST')).toEqual({ type: 'turn.failed', code: 'LEASE_LOST' });
    const ends = [turnEvents.started(1), turnEvents.completed(), turnEvents.failed('X')].map(
      (output) => endsTurn(placed(output)),
    );
    expect(ends).toEqual([false, true, true]);
    expect(endsTurn(placed({ type: 'text' }))).toBe(false);
  });
});
