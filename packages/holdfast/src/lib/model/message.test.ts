import { describe, expect, it } from 'vitest';
import { ValidationError } from '../errors/errors.ts';
import { maxMessageBytes } from './limits.ts';
import { type NewMessage, placeMessage, prepareMessage } from './message.ts';

const prepare = (message: unknown) => prepareMessage(message as NewMessage);

describe('prepareMessage', () => {
  it.each(['user', 'assistant', 'tool', 'system', 'operator'])('takes the role %s', (role) => {
    expect(prepare({ role, content: 'hello' })).toMatchObject({ role, content: 'hello' });
  });

  it('keeps a given id, and makes a random one otherwise', () => {
    expect(prepare({ id: 'm-1', role: 'user', content: '' }).id).toBe('m-1');
    const ids = [1, 2].map(() => prepare({ role: 'user', content: '' }).id);
    expect(ids[0]).toMatch(/^[A-Za-z0-9_-]{24}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('takes any JSON as content, null included, and freezes its copy', () => {
    expect(prepare({ role: 'tool', content: null }).content).toBeNull();
    const parts = [{ type: 'text', text: 'hello' }];
    const { content } = prepare({ role: 'user', content: parts });
    parts.push({ type: 'text', text: 'more' });
    expect(content).toEqual([{ type: 'text', text: 'hello' }]);
    expect(Object.isFrozen(content)).toBe(true);
    expect(Object.isFrozen((content as object[])[0])).toBe(true);
  });

  it.each<readonly [string, unknown, RegExp]>([
    ['no object', 'hello', /must be an object/],
    ['null', null, /must be an object/],
    [
      'no role',
      { content: 'hello' },
      /role must be one of user, assistant, tool, system, operator/,
    ],
    ['an unknown role', { role: 'developer', content: 'x' }, /role must be one of/],
    ['a role that every object has', { role: 'constructor', content: 'x' }, /role must be one of/],
    ['no content', { role: 'user' }, /needs a content/],
    ['undefined content', { role: 'user', content: undefined }, /needs a content/],
    ['content that is not JSON', { role: 'user', content: { at: new Date(0) } }, /content\.at is/],
    ['a malformed id', { id: 'a b', role: 'user', content: 'x' }, /message's id must be/],
    ['a field of the store', { role: 'user', content: 'x', seq: 1 }, /no field "seq"/],
    [
      '__proto__',
      JSON.parse('{"role":"user","content":"x","__proto__":1}'),
      /no field "__proto__"/,
    ],
  ])('refuses %s', (_, message, reason) => {
    expect(() => prepare(message)).toThrow(ValidationError);
    expect(() => prepare(message)).toThrow(reason);
  });

  it('shows no more than the beginning of an unknown field', () => {
    const message = { role: 'user', content: 'x', ['f'.repeat(1_000)]: 1 };
    expect(() => prepare(message)).toThrow(`no field "${'f'.repeat(40)}";`);
  });

  it.each<readonly [string, (bytes: number) => unknown]>([
    ['a string', (bytes) => 'x'.repeat(bytes - 2)],
    ['a string of two-byte characters', (bytes) => 'é'.repeat((bytes - 2) / 2)],
    ['a string that JSON escapes', (bytes) => `${'\0'.repeat((bytes - 4) / 6)}xx`],
    ['an object', (bytes) => ({ text: 'x'.repeat(bytes - '{"text":""}'.length) })],
  ])('takes exactly 1 MB of JSON as %s, and not a byte more', (_, content) => {
    const most = content(maxMessageBytes);
    expect(Buffer.byteLength(JSON.stringify(most))).toBe(maxMessageBytes);
    expect(prepare({ role: 'user', content: most }).content).toEqual(most);
    const over = typeof most === 'string' ? `${most}x` : { ...(most as object), a: 1 };
    expect(() => prepare({ role: 'user', content: over })).toThrow(
      /has 10485\d\d bytes of JSON; at most 1048576 are stored/,
    );
  });
});

describe('placeMessage', () => {
  it('gives a message its place, frozen', () => {
    const message = placeMessage(prepare({ id: 'm', role: 'user', content: 'x' }), 7, 1_000);
    expect(message).toEqual({ id: 'm', seq: 7, role: 'user', content: 'x', createdAt: 1_000 });
    expect(Object.isFrozen(message)).toBe(true);
  });
});
