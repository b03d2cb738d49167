import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ValidationError } from '../errors/errors.ts';
import { maxMetadataBytes } from './limits.ts';
import { assertMetadataSize, metadataReader, plainMetadata } from './metadata.ts';

const plan = z.object({ plan: z.enum(['free', 'pro']).default('free') });

function schemaOf(
  validate: (value: unknown) => StandardSchemaV1.Result<object> | Promise<never>,
): StandardSchemaV1<object, object> {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

describe('metadataReader', () => {
  it('applies defaults and transformations on read', () => {
    expect(metadataReader(plan)({})).toEqual({ plan: 'free' });
    const upper = z.object({ name: z.string().transform((name) => name.toUpperCase()) });
    expect(metadataReader(upper)({ name: 'ada' })).toEqual({ name: 'ADA' });
  });

  it('names the paths that do not fit', () => {
    const schema = z.object({ plan: z.enum(['free', 'pro']), tags: z.array(z.string()) });
    const read = () => metadataReader(schema)({ plan: 'gold', tags: ['a', 1] });
    expect(read).toThrow(ValidationError);
    expect(read).toThrow(/metadata\.plan: .*; metadata\.tags\.1: /);
  });

  it('names a path that is given as segments, and metadata itself without one', () => {
    const issues = [{ message: 'bad', path: [{ key: 'a' }, 0] }, { message: 'worse' }];
    expect(() => metadataReader(schemaOf(() => ({ issues })))({})).toThrow(
      'schema: metadata.a.0: bad; metadata: worse.',
    );
  });

  it('freezes what it returns, at every depth', () => {
    const schema = z.object({ list: z.array(z.object({ a: z.number() })) });
    const read = metadataReader(schema)({ list: [{ a: 1 }] });
    expect([read, read.list, read.list[0]].map(Object.isFrozen)).toEqual([true, true, true]);
  });

  it('freezes below what the schema froze itself', () => {
    const schema = z.object({ inner: z.object({ a: z.number() }) }).readonly();
    const read = metadataReader(schema)({ inner: { a: 1 } });
    expect(Object.isFrozen(read.inner)).toBe(true);
  });

  it('freezes a value that holds itself', () => {
    const value: { self?: object } = {};
    value.self = value;
    expect(Object.isFrozen(metadataReader(schemaOf(() => ({ value })))({}))).toBe(true);
  });

  it('leaves what is not plain to the schema', () => {
    const schema = z.object({ since: z.coerce.date() });
    const { since } = metadataReader(schema)({ since: '2030-01-01' });
    expect(since).toEqual(new Date('2030-01-01'));
    expect(Object.isFrozen(since)).toBe(false);
  });

  it('refuses a schema that validates asynchronously, and swallows its rejection', async () => {
    const schema = schemaOf(() => Promise.reject(new Error('must not end the process')));
    expect(() => metadataReader(schema)({})).toThrow(/validates asynchronously/);
    await new Promise((resolve) => setImmediate(resolve)); // an unhandled rejection would fail here
  });
});

describe('plainMetadata', () => {
  it('hands out what is stored', () => {
    const stored = Object.freeze({ a: 1 });
    expect(plainMetadata(stored)).toBe(stored);
  });
});

describe('assertMetadataSize', () => {
  it('takes exactly 1 MB as stored, and not a byte more', () => {
    const text = 'x'.repeat(maxMetadataBytes - '{"a":""}'.length);
    expect(() => assertMetadataSize({ a: text })).not.toThrow();
    expect(() => assertMetadataSize({ a: `${text}x` })).toThrow(
      'has 1048577 bytes as stored; at most 1048576 are allowed',
    );
  });

  it('counts bytes, not characters', () => {
    expect(() => assertMetadataSize({ a: 'é'.repeat(maxMetadataBytes / 2) })).toThrow(
      ValidationError,
    );
  });
});
