import { describe, expect, it } from 'vitest';
import { factTemplates, isFixedSentence, notTold, phrases, templates } from './phrases.ts';
import { splitSentences } from './sentences.ts';

describe('isFixedSentence', () => {
  it('knows each sentence of the phrases and the templates', () => {
    const filled = [...Object.values(templates), ...Object.values(factTemplates)].map((template) =>
      template.fill('x', 'y'),
    );
    const phrased = [...Object.values(phrases), ...Object.values(notTold)];
    const sentences = [...phrased, ...filled].flatMap(splitSentences);
    expect(sentences.filter((sentence) => !isFixedSentence(sentence))).toEqual([]);
  });

  it.each([
    '',
    'Hello',
    'Hello! Hello!',
    'We pay a refund within five working days.',
    'I have your order number',
    'I have your order number FF-20418837. It is on its way.',
  ])('does not know %j', (sentence) => {
    expect(isFixedSentence(sentence)).toBe(false);
  });
});
