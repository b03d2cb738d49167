import type { Source } from '../knowledge/passage.ts';

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
  /** How sure the agent is of `message`, from 0 to 1. */
  readonly confidence: number;
  readonly toolsUsed: readonly string[];
};
