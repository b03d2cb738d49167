import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ValidationError } from '../errors/errors.ts';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  jsonBytes,
  jsonDigest,
  toJson,
  toJsonObject,
} from './json-value.ts';

class Money {
  readonly cents = 1;
}

function nested(levels: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < levels; level += 1) value = level % 2 ? [value] : { value };
  return value;
}

const cycle: { self?: unknown } = {};
cycle.self = { again: [cycle] };

const holes: unknown[] = [1];
holes[2] = 3;

describe('toJson', () => {
  const refused: ReadonlyArray<readonly [string, unknown, RegExp]> = [
    ['NaN', { a: { b: Number.NaN } }, /^metadata\.a\.b is NaN/],
    ['Infinity', [Number.NEGATIVE_INFINITY], /^metadata\[0\] is -Infinity/],
    ['undefined', undefined, /^metadata is undefined/],
    ['undefined in an array', [1, undefined], /^metadata\[1\] is undefined/],
    ['a hole in an array', holes, /^metadata\[1\] is undefined/],
    ['a function', { run: () => 1 }, /^metadata\.run is a function/],
    ['a toJSON method', { toJSON: () => 1 }, /^metadata\.toJSON is a function/],
    ['a symbol', [Symbol('s')], /^metadata\[0\] is a symbol/],
    ['a bigint', { n: 1n }, /^metadata\.n is a bigint/],
    ['a date', { at: new Date(0) }, /^metadata\.at is an instance of Date/],
    ['a map', new Map(), /an instance of Map/],
    ['an instance of a class', { price: new Money() }, /^metadata\.price is an instance of Money/],
    ['bytes', new Uint8Array(1), /an instance of Uint8Array/],
    ['a boxed string', Object('boxed'), /an instance of String/],
    ['an heir of a plain object', Object.create({ inherited: 1 }), /only plain JSON/],
    ['a cycle', cycle, /in a cycle/],
    ['101 levels', nested(101), /nested deeper than 100 levels/],
    ['__proto__ from JSON.parse', JSON.parse('{"a":{"__proto__":{"x":1}}}'), /key "__proto__"/],
    ['constructor', { a: [{ constructor: 1 }] }, /^metadata\.a\[0\] has the key "constructor"/],
    ['prototype', { prototype: {} }, /^metadata has the key "prototype"/],
  ];

  it.each(refused)('refuses %s', (_, value, message) => {
    expect(() => toJson(value, 'metadata')).toThrow(ValidationError);
    expect(() => toJson(value, 'metadata')).toThrow(message);
  });

  it('names a place in few words, however long its keys are', () => {
    const value = { ['k'.repeat(100_000)]: { ['l'.repeat(100_000)]: Number.NaN } };
    let message = '';
    try {
      toJson(value, 'metadata');
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain('metadata.kkk');
    expect(message).toContain('… is NaN');
    expect(message.length).toBeLessThan(400);
  });

  it('takes 100 levels', () => {
    expect(toJson(nested(100), 'metadata')).toEqual(nested(100));
  });

  it('writes negative zero as JSON does', () => {
    expect(Object.is(toJson(-0, 'x'), 0)).toBe(true);
    expect(Object.is(toJsonObject({ a: [-0] }, 'x').a, -0)).toBe(false);
    expect(toJsonObject({ a: [-0] }, 'x')).toEqual({ a: [0] });
  });

  it('leaves out properties that are undefined', () => {
    expect(Object.keys(toJsonObject({ a: undefined, b: 1 }, 'x'))).toEqual(['b']);
  });

  it('takes an object without a prototype, and one of another realm', () => {
    const bare: Record<string, unknown> = Object.create(null);
    bare.a = 1;
    expect(toJson(bare, 'x')).toEqual({ a: 1 });
    expect(toJson(runInNewContext('({ a: [1] })'), 'x')).toEqual({ a: [1] });
  });

  it('returns a copy that the giver cannot change', () => {
    const given = { list: [{ a: 1 }], text: 'x' };
    const json = toJson(given, 'x');
    given.list.push({ a: 2 });
    const [first] = given.list;
    if (first) first.a = 3;
    given.text = 'y';
    expect(json).toEqual({ list: [{ a: 1 }], text: 'x' });
  });

  it('returns what nobody can change, at every depth', () => {
    const json = toJson({ list: [{ deep: { a: 1 } }] }, 'x') as {
      list: { deep: { a: number } }[];
    };
    expect(() => Object.assign(json, { b: 1 })).toThrow(TypeError);
    expect(() => json.list.push({ deep: { a: 2 } })).toThrow(TypeError);
    expect(() => Object.assign(json.list[0]?.deep ?? {}, { a: 2 })).toThrow(TypeError);
  });

  it('keeps any JSON as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!/"(?:__proto__|constructor|prototype)":/.test(text));
        expect(JSON.stringify(toJson(JSON.parse(text), 'x'))).toBe(text);
      }),
    );
  });

  it('either returns what JSON gives back unchanged, or throws a ValidationError', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        let json: JsonValue;
        try {
          json = toJson(value, 'x');
        } catch (error) {
          expect(error).toBeInstanceOf(ValidationError);
          return;
        }
        expect(JSON.parse(JSON.stringify(json))).toEqual(json);
      }),
    );
  });
});

describe('toJsonObject', () => {
  it.each([
    [null, 'not null'],
    [[], 'not an array'],
    ['{}', 'not a string'],
    [1, 'not a number'],
  ])('refuses %j', (value, shown) => {
    expect(() => toJsonObject(value, 'metadata')).toThrow(
      `metadata must be a JSON object, ${shown}.`,
    );
  });
});

describe('isJsonObject', () => {
  it('holds for objects alone', () => {
    expect([{}, Object.create(null)].map(isJsonObject)).toEqual([true, true]);
    expect([null, [], 'x', 1, undefined, () => 1].some(isJsonObject)).toBe(false);
  });
});

describe('jsonBytes', () => {
  it('counts bytes of UTF-8, not characters', () => {
    expect(jsonBytes('é€😀')).toBe(2 + 3 + 4 + 2);
    expect(jsonBytes({ a: [1, null] })).toBe('{"a":[1,null]}'.length);
  });

  const written = (value: JsonValue) => Buffer.byteLength(JSON.stringify(value));

  it('are those of the text that JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' }), (value) => {
        expect(jsonBytes(value as JsonValue)).toBe(written(value as JsonValue));
      }),
    );
  });

  it.each<[JsonValue]>([
    ...['\u0000\u001f\u007f', '\ud800', '"\\/', '\u2028', ' ~!#[]'].map((text): [string] => [text]),
    ...[-0, 1e21, 1e-7, -1.7976931348623157e308, 0.1].map((number): [number] => [number]),
    ...[[], {}, [[]], [{}, {}], { '"': {} }, { a: [], b: true }].map((nest): [JsonValue] => [nest]),
  ])('so they are of %j', (value) => {
    expect(jsonBytes(value)).toBe(written(value));
  });

  it('are so of whole numbers of every length', () => {
    for (let power = 1; power <= Number.MAX_SAFE_INTEGER; power *= 10) {
      for (const number of [power - 1, power, power + 1, -power]) {
        expect(jsonBytes(number), String(number)).toBe(written(number));
      }
    }
    expect(jsonBytes(Number.MAX_SAFE_INTEGER)).toBe(16);
  });

  it('are so of every character', () => {
    for (let code = 0; code < 0x1_0000; code += 1) {
      const text = String.fromCharCode(code);
      if (jsonBytes(text) !== written(text)) expect.fail(`not of ${code.toString(16)}`);
    }
  });
});

describe('jsonDigest', () => {
  it('is the SHA-256 of the text with sorted keys', () => {
    // printf '{"a":{"c":[true,null],"d":"x"},"b":1}' | openssl dgst -sha256 -binary | basenc --base64url
    expect(jsonDigest({ b: 1, a: { d: 'x', c: [true, null] } })).toBe(
      'hNP4rWmMYZfh1lq0OfahkhI1xCgL6PQgHrz-AvJGdnE',
    );
  });

  it('does not depend on the order of keys, and does on that of items', () => {
    expect(jsonDigest({ a: 1, b: { c: 2, d: 3 } })).toBe(jsonDigest({ b: { d: 3, c: 2 }, a: 1 }));
    expect(jsonDigest([1, 2])).not.toBe(jsonDigest([2, 1]));
  });

  it('tells values apart that look alike', () => {
    const values: JsonValue[] = [
      null,
      'null',
      '',
      0,
      '0',
      false,
      [],
      {},
      [[]],
      [{}],
      ['a,b'],
      ['a', 'b'],
      { a: 'b' },
      '{"a":"b"}',
      { a: null },
      { 'a":1,"b': 2 },
      { a: 1, b: 2 },
    ];
    expect(new Set(values.map(jsonDigest)).size).toBe(values.length);
  });

  it('is the same exactly when the values are equal', () => {
    const keys = fc.constantFrom('a', 'b', 'c');
    const object = fc.dictionary(keys, fc.constantFrom<JsonValue>(0, '0', null));
    fc.assert(
      fc.property(object, object, (left: JsonObject, right: JsonObject) => {
        const equal = [...'abc'].every((key) => left[key] === right[key]);
        expect(jsonDigest(left) === jsonDigest(right)).toBe(equal);
      }),
    );
  });
});
