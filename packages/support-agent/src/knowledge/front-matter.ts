import { parse, TomlError } from 'smol-toml';
import { isMap, parseDocument } from 'yaml';

/** In characters. What is longer is no front matter: YAML that is wrong throughout takes long to read. */
const maxLength = 16 * 1024;

export interface FrontMatter {
  readonly title: string | undefined;
  /** What stands below it. */
  readonly body: string;
}

const dashes = { begin: /^---[ \t]*$/, end: /^(?:---|\.\.\.)[ \t]*$/, titleIn: titleInYaml };
const plusSigns = { begin: /^\+{3}[ \t]*$/, end: /^\+{3}[ \t]*$/, titleIn: titleInToml };

/**
 * What site generators put above an article: YAML between lines of dashes, or TOML between lines of plus
 * signs. Only a whole block of keys is taken for that. All else is text, and stays.
 */
export function readFrontMatter(article: string): FrontMatter {
  const lines = article.split(/\r\n|\r|\n/);
  const whole: FrontMatter = { title: undefined, body: article };
  const kind = [dashes, plusSigns].find(({ begin }) => begin.test(lines[0] ?? ''));
  const end = lines.findIndex((line, index) => index > 0 && kind?.end.test(line));
  if (kind === undefined || end < 0 || lines[1]?.trim() === '') return whole;
  const keys = lines.slice(1, end).join('\n');
  const title = keys.length > maxLength ? null : kind.titleIn(keys);
  if (title === null) return whole;
  const isTitle = typeof title === 'string' || typeof title === 'number';
  const body = lines.slice(end + 1).join('\n');
  return { title: isTitle ? `${title}`.trim() : undefined, body };
}

/** `null` where it is no block of keys. */
function titleInYaml(yaml: string): unknown {
  const { contents, errors } = parseDocument(yaml);
  // A line of text among them has no colon behind a key. Values that are written wrong are no text.
  if (!isMap(contents) || errors.some(({ code }) => code === 'MISSING_CHAR')) return null;
  return contents.get('title') ?? undefined;
}

/** The same. */
function titleInToml(toml: string): unknown {
  try {
    const keys = parse(toml);
    return Object.keys(keys).length === 0 ? null : keys.title;
  } catch (error) {
    if (error instanceof TomlError) return null;
    throw error;
  }
}
