/** A model did not keep the `Model` contract. Does not cover what it throws itself: that passes through. */
export class ModelError extends Error {
  override readonly name = 'ModelError';

  constructor(model: string, problem: string, options?: ErrorOptions) {
    super(`The model "${model}" failed: ${problem}.`, options);
  }
}

/**
 * Why a model server gave no answer:
 *
 * - `unavailable`: it cannot be reached, is overloaded or broken; later it may answer
 * - `silent`: it said nothing for too long
 * - `refused`: it does not take the request: a setting is wrong, mostly
 * - `broken`: what it said broke off, or cannot be read
 */
export type ModelServerProblem = 'unavailable' | 'silent' | 'refused' | 'broken';

/**
 * A model server gave no answer. The message is for operators: it says what to do, and has nothing of the
 * key, the address, or what was said. It has no `cause` for the same reason.
 */
export class ModelServerError extends Error {
  override readonly name = 'ModelServerError';
  readonly problem: ModelServerProblem;
  /** When the server wants to be asked again, where it said so. In whole seconds, from 1. */
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: ModelServerProblem, message: string, retryAfterSeconds?: number) {
    super(message);
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
