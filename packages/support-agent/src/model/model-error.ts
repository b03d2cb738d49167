/** A model did not keep the `Model` contract. Does not cover what it throws itself: that passes through. */
export class ModelError extends Error {
  override readonly name = 'ModelError';

  constructor(model: string, problem: string, options?: ErrorOptions) {
    super(`The model "${model}" failed: ${problem}.`, options);
  }
}
