import type { Writable } from 'node:stream';
import type { Logger } from '../store/emitter.ts';

/** What a command may use of the process that it runs in. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Results; with `isTTY`, progress may be drawn. */
  readonly out: Writable & { readonly isTTY?: boolean };
  /** Warnings and errors. */
  readonly err: Writable;
  /** Aborts when the command is to stop. */
  readonly signal: AbortSignal;
}

/** A command's exit code, as shells know them. */
export const exitCodes = { done: 0, failed: 1, wrongUse: 2, interrupted: 130 } as const;

/** Warnings and errors, a line each, without their details: those may be anything. */
export function terminalLogger({ err }: Terminal): Logger {
  const line = (level: string) => (_: object, message: string) => {
    err.write(`${level}: ${message}\n`);
  };
  return { debug() {}, info() {}, warn: line('warning'), error: line('error') };
}
