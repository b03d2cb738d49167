import { type Command, InvalidArgumentError } from 'commander';

/** Reads a whole number within bounds. */
export function wholeFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** What every command on the settings has. @param json what `--json` prints */
export function withCommonOptions(command: Command, json: string): Command {
  return (
    command
      // Node takes `--env-file` for its own, wherever it stands.
      .option('--settings <file>', 'read settings from this file in place of .env')
      .option('--json', `print ${json}`)
  );
}
