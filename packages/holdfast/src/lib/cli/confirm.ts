import { confirm } from '@clack/prompts';
import { type Terminal, WrongUseError } from './terminal.ts';

/**
 * Whether it is meant: by `--yes`, or by who is there to be asked.
 * @throws WrongUseError where nobody is
 */
export async function isMeant(
  question: string,
  { yes }: { readonly yes?: boolean },
  { in: input, out, signal }: Terminal,
): Promise<boolean> {
  if (yes) return true;
  if (!input.isTTY || !out.isTTY) {
    throw new WrongUseError('This cannot be undone, and nobody is there to be asked: add --yes.');
  }
  return (
    (await confirm({ message: question, initialValue: false, input, output: out, signal })) === true
  );
}
