import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonValue, toJson } from './json-value.ts';
import { mergeObject, mergePatch } from './merge-patch.ts';

/** RFC 7396, appendix A: target, patch, result. */
const appendixA: ReadonlyArray<readonly [JsonValue, JsonValue, JsonValue]> = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

/** The same by paths: what a patch sets and removes, without recursion over the target. */
function model(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch;
  const result = new Map<string, JsonValue>(isObject(target) ? Object.entries(target) : []);
  for (const [key, change] of Object.entries(patch)) {
    if (change === null) result.delete(key);
    else result.set(key, model(result.get(key), change));
  }
  return Object.fromEntries(result);
}

const isObject = (value: unknown): value is Record<string, JsonValue> =>
  Object.prototype.toString.call(value) === '[object Object]';

/** Few keys, so that target and patch meet; some of them are names that every object inherits. */
const json = fc.letrec<{ value: JsonValue; object: Record<string, JsonValue> }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<JsonValue>(null, 0, '', false, 'a'),
    fc.array(tie('value'), { maxLength: 2 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'toString', '0'), tie('value'), { maxKeys: 4 }),
}));

describe('mergePatch', () => {
  it.each(appendixA)('RFC 7396, appendix A: %j patched with %j is %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  it('begins with nothing when there is no target', () => {
    expect(mergePatch(undefined, { a: { b: 1, c: null } })).toEqual({ a: { b: 1 } });
  });

  it('takes an inherited name for a missing key', () => {
    expect(mergePatch({}, { toString: { a: 1 } })).toEqual({ toString: { a: 1 } });
  });

  it('does what the model does, to any value', () => {
    fc.assert(
      fc.property(json.value, json.value, (target, patch) => {
        expect(mergePatch(toJson(target, 'target'), toJson(patch, 'patch'))).toEqual(
          model(target, patch),
        );
      }),
    );
  });

  it('is idempotent, and leaves target and patch as they were', () => {
    fc.assert(
      fc.property(json.object, json.object, (rawTarget, rawPatch) => {
        const target = toJson(rawTarget, 'target');
        const patch = toJson(rawPatch, 'patch');
        const once = mergePatch(target, patch);
        expect(mergePatch(once, patch)).toEqual(once);
        expect(target).toEqual(rawTarget);
        expect(patch).toEqual(rawPatch);
      }),
    );
  });

  it('freezes what it makes, at every depth', () => {
    const merged = mergeObject({ kept: Object.freeze({ x: 1 }) }, { a: { b: { c: 1 } } });
    const inner = merged.a as { b: object };
    expect([merged, inner, inner.b].map(Object.isFrozen)).toEqual([true, true, true]);
  });

  it('shares what the patch leaves alone', () => {
    const large = Object.freeze({ x: Object.freeze([1, 2, 3]) });
    const merged = mergeObject({ large, small: 1 }, { small: 2 });
    expect(merged.large).toBe(large);
  });
});
