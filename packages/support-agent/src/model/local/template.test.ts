import { describe, expect, it } from 'vitest';
import { Template } from './template.ts';

const template = new Template('Do you mean “{}” or “{}”?');

describe('Template', () => {
  it('is read as it was filled, also with its own characters in a gap', () => {
    for (const values of [
      ['A', 'B'],
      ['What (exactly)?', '$& [^.*]'],
      ['one\nline', '“quoted”'],
    ]) {
      expect(template.read(template.fill(...values))).toEqual(values);
    }
  });

  it.each(['', 'Do you mean “A”?', 'Do you mean “” or “B”?', 'Do you mean “A” or “B”? No.'])(
    'is not read in %j',
    (text) => {
      expect(template.read(text)).toBeNull();
    },
  );

  it('is read at the end of a text only where that is asked for', () => {
    const text = 'Hello! Do you mean “A” or “B”?';
    expect(template.read(text)).toBeNull();
    expect(template.readEnd(text)).toEqual(['A', 'B']);
    expect(template.readEnd(`${text} Thanks.`)).toBeNull();
    expect(template.readEnd('Hello!')).toBeNull();
  });

  it('takes but one word where a word is asked for', () => {
    const word = new Template('Your ticket is {word}.');
    expect(word.read(word.fill('T-0123ABCD'))).toEqual(['T-0123ABCD']);
    expect(word.read('Your ticket is a. And more.')).toBeNull();
  });
});
