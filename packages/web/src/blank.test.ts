import { expect, it } from 'vitest';
import { isBlank } from './blank.ts';

it.each([
  ['spaces', ' \n\u00a0\u3000'],
  ['characters that nobody sees', '\u200b\u200d\u2060\u202e\u0000'],
  ['letters that nobody sees', '\u3164\u115f\uffa0'],
  ['dots of Braille that are not there', '\u2800'],
  ['what goes with a character before it', '\ufe0f\u034f\u{e0100}'],
  ['nothing', ''],
])('is what consists of %s', (_, text) => {
  expect(isBlank(text)).toBe(true);
});

it.each([
  ['an emoji of several', '🧗\u200d♀️'],
  ['a heart with its form', '❤️'],
  ['right to left, with marks', '\u200fמתי\u200f'],
  ['a letter of Hangul with a filler', '\u3164ㄱ'],
  ['Braille', '\u2800⠓'],
])('is not %s', (_, text) => {
  expect(isBlank(text)).toBe(false);
});
