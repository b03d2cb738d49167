import type { Readable, Writable } from 'node:stream';
import type { Logger } from '../store/emitter.ts';
import { wrapped } from './text.ts';

/** What a command may use of the process that it runs in. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Answers to questions; with `isTTY`, somebody is there to give them. */
  readonly in: Readable & { readonly isTTY?: boolean };
  /** Results; with `isTTY`, progress may be drawn, `columns` wide. */
  readonly out: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  /** Warnings and errors. */
  readonly err: Writable;
  /** Aborts when the command is to stop. */
  readonly signal: AbortSignal;
}

/** A command's exit code, as shells know them. */
export const exitCodes = { done: 0, failed: 1, wrongUse: 2, interrupted: 130 } as const;

/** What every command has. */
export interface CommonOptions {
  /** A file of settings, in place of `.env`. */
  readonly settings?: string;
  readonly json?: boolean;
}

/** A command was called in a way that it cannot be. */
export class WrongUseError extends Error {
  override readonly name = 'WrongUseError';
}

/** A command cannot do its work; the message says why, and what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

const messageWidth = 80;

/** Of a terminal. One that does not know how wide it is says 0. */
export function columnsOf({ out }: Pick<Terminal, 'out'>): number {
  return out.columns || messageWidth;
}

/** How wide results may be: of a terminal, its columns; a file takes any. */
export function widthOf(terminal: Pick<Terminal, 'out'>): number {
  return terminal.out.isTTY ? columnsOf(terminal) : Number.POSITIVE_INFINITY;
}

/** A message as people read it, in lines of a terminal's width. */
export function said(message: string): string {
  return `${wrapped(message, messageWidth, '  ').join('\n')}\n`;
}

/** Warnings and errors, each by itself, without their details: those may be anything. */
export function terminalLogger({ err }: Pick<Terminal, 'err'>): Logger {
  const line = (level: string) => (_: object, message: string) => {
    err.write(said(`${level}: ${message}`));
  };
  return { debug() {}, info() {}, warn: line('warning'), error: line('error') };
}
