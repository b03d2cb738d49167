import type { Model, ModelPart, ModelRequest } from '../model/model.ts';

/** What a model says when it is asked once: its parts, or how to make them. */
export type ScriptedRound =
  | readonly ModelPart[]
  | ((request: ModelRequest) => AsyncIterable<ModelPart> | readonly ModelPart[]);

/** A model that says what a test wrote, round by round, whoever asks. */
export class ScriptedModel implements Model {
  readonly name = 'scripted';
  /** Every request so far, in the order of asking. */
  readonly requests: ModelRequest[] = [];
  readonly #rounds: readonly ScriptedRound[];

  constructor(...rounds: readonly ScriptedRound[]) {
    this.#rounds = rounds;
  }

  async *answer(request: ModelRequest): AsyncGenerator<ModelPart> {
    const round = this.#rounds[this.requests.length];
    this.requests.push(request);
    if (round === undefined) throw new Error(`Nobody wrote round ${this.requests.length}.`);
    yield* typeof round === 'function' ? round(request) : round;
  }
}
