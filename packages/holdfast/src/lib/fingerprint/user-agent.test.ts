import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { normalizeUserAgent, readUserAgent } from './user-agent.ts';

const corpus = readFileSync(new URL('./user-agents.tsv', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split('\t') as [browser: string, os: string, device: string, text: string]);

const read = (text: string | undefined) => readUserAgent(normalizeUserAgent(text));

describe('the corpus of User-Agents', () => {
  it('is large, and each is in it once', () => {
    expect(new Set(corpus.map(([, , , text]) => text)).size).toBe(corpus.length);
    expect(corpus.length).toBeGreaterThanOrEqual(60);
  });

  it.each(corpus)('%s on %s, %s: %s', (browser, os, device, text) => {
    expect(read(text)).toEqual({ browser, os, device });
  });

  it.each(corpus)('%s on %s, %s is the same in each later version', (browser, os, device, text) => {
    // The versions of products and systems; not names such as iPhone14,5 and Android (33/13; …).
    const later = text.replace(
      /((?<!PlayStation )(?<=[A-Za-z]\/)|(?<=\b(?:Version\/|Android |OS |OS X |rv:)))\d+(?=[._;)\s]|$)/g,
      (version) => String(Number(version) + 1),
    );
    if (/\/\d/.test(text)) expect(later).not.toBe(text);
    expect(read(later)).toEqual({ browser, os, device });
  });

  it.each(corpus)('%s on %s, %s is the same with other spaces', (browser, os, device, text) => {
    expect(read(`  ${text.replaceAll(' ', ' \t ')} `)).toEqual({ browser, os, device });
  });
});

describe('a User-Agent', () => {
  it.each([undefined, '', ' ', '\t'])('that is absent is like no other: %j', (text) => {
    expect(read(text)).toEqual({ browser: '', os: '', device: '' });
  });

  it.each(['-', '()', '(Linux)', '/', 'Mozilla/5.0', 'Mozilla/5.0 ()', '💻'])(
    'that says nothing is there nonetheless: %j',
    (text) => {
      const { browser, os, device } = read(text);
      for (const feature of [browser, os, device]) expect(feature).not.toBe('');
    },
  );

  it('of a browser that nobody knows is told by its name', () => {
    const of = (name: string) => `Mozilla/5.0 (compatible; ${name}/7.1; +http://x.example/bot)`;
    expect(read(of('Foo')).browser).toBe('foo');
    expect(read(of('Bar')).browser).toBe('bar');
    expect(read('Foo/1 (Android 14; Mobile)').browser).toBe('foo');
  });

  it('counts up to its 1,024th character', () => {
    const long = `Foo/1 ${'x'.repeat(1_024 - 'Foo/1 '.length)}`;
    expect(normalizeUserAgent(long)).toBe(long);
    expect(normalizeUserAgent(`${long} Firefox/1`)).toBe(long);
    expect(read(`Mozilla/5.0 ${'x'.repeat(2_000)} Firefox/1`)).toEqual(read('Mozilla/5.0 x'));
  });
});
