import { isMap, parseDocument } from 'yaml';

/** In characters. What is longer is no front matter: YAML that is wrong throughout takes long to read. */
const maxLength = 16 * 1024;

export interface FrontMatter {
  readonly title: string | undefined;
  /** What stands below it. */
  readonly body: string;
}

/**
 * What site generators put above an article: YAML between lines of dashes. Only a whole block of keys is
 * taken for that. All else is text, and stays.
 */
export function readFrontMatter(article: string): FrontMatter {
  const lines = article.split(/\r\n|\r|\n/);
  const end = lines.findIndex((line, index) => index > 0 && /^(?:---|\.\.\.)[ \t]*$/.test(line));
  const whole: FrontMatter = { title: undefined, body: article };
  if (end < 0 || !/^---[ \t]*$/.test(lines[0] ?? '') || lines[1]?.trim() === '') return whole;
  const yaml = lines.slice(1, end).join('\n');
  if (yaml.length > maxLength) return whole;
  const { contents, errors } = parseDocument(yaml);
  // A line of text among them has no colon behind a key. Values that are written wrong are no text.
  if (!isMap(contents) || errors.some(({ code }) => code === 'MISSING_CHAR')) return whole;
  const title: unknown = contents.get('title');
  const isTitle = typeof title === 'string' || typeof title === 'number';
  const body = lines.slice(end + 1).join('\n');
  return { title: isTitle ? `${title}`.trim() : undefined, body };
}
