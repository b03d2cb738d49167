import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DockerfileParser, type Instruction } from 'dockerfile-ast';
import { deployFolder } from './compose-file.ts';

/** From one FROM to the next. */
export interface Stage {
  readonly name: string;
  /** The stage or the image that it begins with, as it is written. */
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

export const dockerfile = DockerfileParser.parse(
  readFileSync(join(deployFolder, 'Dockerfile'), 'utf8'),
);

export const stages: readonly Stage[] = readStages();

function readStages(): Stage[] {
  const read: { name: string; from: string; instructions: Instruction[] }[] = [];
  for (const instruction of dockerfile.getInstructions()) {
    if (instruction.getKeyword() === 'FROM') {
      const [from = '', , name = ''] = wordsOf(instruction);
      read.push({ name, from, instructions: [] });
    } else {
      read.at(-1)?.instructions.push(instruction);
    }
  }
  return read;
}

export function wordsOf(instruction: Instruction): string[] {
  return instruction.getArguments().map((word) => word.getValue());
}

/** `["a", "b"]`, as CMD and HEALTHCHECK have it. */
export function jsonForm(instruction: Instruction | undefined): string[] {
  const [, list] = /(\[.*\])\s*$/s.exec(instruction?.getArgumentsContent() ?? '') ?? [];
  if (list === undefined) throw new Error('It is not in the form of a JSON list.');
  return JSON.parse(list);
}

/** The stage that a COPY takes from; undefined for the context. */
export function stageOf(copy: Instruction): string | undefined {
  return /--from=(\S+)/.exec(copy.toString())?.[1];
}
