import { describe, expect, it } from 'vitest';
import * as holdfast from '../../index.ts';
import { DecryptionError, HoldfastError, OutcomeUnknownError } from './errors.ts';
import { damagedRecordRemedy, type ErrorCode, errorRegistry } from './registry.ts';

type ErrorClass = new (
  message: string,
  options: { cause?: unknown; nonce: string },
) => HoldfastError;

const exported: Record<string, unknown> = { ...holdfast };
const classes = Object.entries(exported).filter((entry): entry is [string, ErrorClass] =>
  isErrorClass(entry[1]),
);
const entries = Object.entries(errorRegistry) as [ErrorCode, (typeof errorRegistry)[ErrorCode]][];

function isErrorClass(value: unknown): value is ErrorClass {
  return typeof value === 'function' && value.prototype instanceof HoldfastError;
}

describe('the registry', () => {
  it('has the class of every entry, and every class an entry', () => {
    const registered = entries.map(([, { className }]) => className);
    expect(new Set(registered).size).toBe(registered.length);
    expect(classes.map(([name]) => name).sort()).toEqual([...registered].sort());
  });

  it.each(entries)('%s has a stable form', (code, { status, title, remedy }) => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(title).toMatch(/^[A-Z].*[^.]$/);
    expect(remedy).toMatch(/^[A-Z].*\.$/);
  });
});

describe.each(classes)('%s', (name, Class) => {
  const cause = new Error('underneath');
  const error = new Class('It failed.', { cause, nonce: 'n-1' });

  it('has the code, status, title and remedy of its entry', () => {
    const entry = errorRegistry[error.code];
    expect(entry.className).toBe(name);
    const { status, title, remedy } = error;
    expect({ className: name, status, title, remedy }).toEqual(entry);
  });

  it('says what happened, and what to do', () => {
    expect(error.message).toBe(`It failed. ${error.remedy}`);
    expect(String(error)).toBe(`${name}: It failed. ${error.remedy}`);
    expect(error.stack).toContain(name);
  });

  it('is an Error with its cause, if there is one', () => {
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(HoldfastError);
    expect(error.cause).toBe(cause);
    expect(Object.hasOwn(new Class('It failed.', { nonce: 'n-1' }), 'cause')).toBe(false);
  });

  it('is told from every other by instanceof', () => {
    const others = classes.filter(([other]) => other !== name);
    expect(others.filter(([, Other]) => error instanceof Other)).toEqual([]);
  });
});

describe('DecryptionError', () => {
  it('of a damaged record has another remedy than to look for a key', () => {
    const { isDamaged, message, remedy } = new DecryptionError('Cut off.', { isDamaged: true });
    expect({ isDamaged, remedy }).toEqual({ isDamaged: true, remedy: damagedRecordRemedy });
    expect(message).toBe(`Cut off. ${damagedRecordRemedy}`);
    expect(new DecryptionError('No key.').isDamaged).toBe(false);
  });
});

describe('OutcomeUnknownError', () => {
  it('holds the nonce to repeat the call with', () => {
    expect(new OutcomeUnknownError('No reply.', { nonce: 'n-1' }).nonce).toBe('n-1');
  });
});
