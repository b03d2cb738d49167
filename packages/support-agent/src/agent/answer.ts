import type { Source } from '../knowledge/passage.ts';
import type { Ticket } from '../tools/support-record.ts';

/**
 * What a turn ends with: the outcome under the idempotency key, so a repeat gets exactly this again.
 * A type and not an interface, because only types of plain fields count as JSON.
 */
export type Answer = {
  /** Empty when a person has the conversation and no model was asked. */
  readonly message: string;
  readonly sources: readonly Source[];
  /** A person is needed: asked for now or earlier in this conversation. */
  readonly requiresEscalation: boolean;
  /** The ticket with which the conversation waits for that person. */
  readonly ticket: Ticket | null;
  /** How sure the agent is of `message`, from 0 to 1. */
  readonly confidence: number;
  /** The names of the tools that ran, each once, in the order of their first use. */
  readonly toolsUsed: readonly string[];
};
