/** `{}` takes any text, `{word}` one without spaces. */
const gap = /(\{(?:word)?\})/;

/** A fixed phrase with gaps: filled in to be said, and known again when read. */
export class Template {
  readonly #texts: readonly string[];
  readonly #whole: RegExp;

  constructor(phrase: string) {
    const parts = phrase.split(gap);
    this.#texts = parts.filter((part) => !gap.test(part));
    this.#whole = new RegExp(`^${parts.map(patternOf).join('')}$`, 's');
  }

  fill(...values: readonly string[]): string {
    return this.#texts.reduce((text, next, index) => `${text}${values[index - 1] ?? ''}${next}`);
  }

  /** What stands in the gaps, or `null` for a text that is another phrase. */
  read(text: string): string[] | null {
    return this.#whole.exec(text)?.slice(1) ?? null;
  }

  /** As `read`, of a text that ends with the phrase. */
  readEnd(text: string): string[] | null {
    const start = text.lastIndexOf(this.#texts[0] ?? '');
    return start < 0 ? null : this.read(text.slice(start));
  }
}

function patternOf(part: string): string {
  if (part === '{}') return '(.+?)';
  return part === '{word}' ? '(\\S+)' : part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
