/** With a comma between thousands. */
export function count(number: number): string {
  return number.toLocaleString('en');
}

/** `1 session`, `2 sessions`. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** The two largest units of a time in ms: `2d 3h`, `5m 20s`, `0s`. */
export function duration(ms: number): string {
  const first = units.findIndex(([, size]) => ms >= size);
  if (first < 0) return '0s';
  let rest = ms;
  return units
    .slice(first, first + 2)
    .map(([unit, size]) => {
      const number = Math.floor(rest / size);
      rest -= number * size;
      return number === 0 ? '' : `${number}${unit}`;
    })
    .filter(Boolean)
    .join(' ');
}

export function bytes(number: number): string {
  if (number < 1024) return `${number} B`;
  const [unit, size] =
    number < 1024 ** 2
      ? ['KiB', 1024]
      : number < 1024 ** 3
        ? ['MiB', 1024 ** 2]
        : ['GiB', 1024 ** 3];
  return `${(number / size).toFixed(1)} ${unit}`;
}

/** Controls, and marks that turn the direction of writing: a terminal obeys them, wherever they come from. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const commands = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** What customers wrote, without what would command the terminal. Lines and tabs stay. */
export function printable(text: string): string {
  return text.replace(
    commands,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** In lines of at most `width`, those after the first with an indent; what the text begins with as one stays. */
export function wrapped(text: string, width: number, indent = ''): string[] {
  const own = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  let line = '';
  for (const word of text.slice(own.length).split(' ')) {
    const room = width - own.length - (lines.length === 0 ? 0 : indent.length);
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each, at) => own + (at === 0 ? each : indent + each));
}
