import type { Model, ModelPart, ModelRequest } from '../model/model.ts';

/** An answer that a test makes piece by piece. */
export class PacedAnswer {
  readonly request: ModelRequest;
  readonly #pieces: string[] = [];
  #ended = false;
  #wake = () => {};

  constructor(request: ModelRequest) {
    this.request = request;
  }

  say(text: string): void {
    this.#pieces.push(text);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *parts(): AsyncGenerator<ModelPart> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) yield { type: 'text', text: piece };
      else if (this.#ended) break;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
    yield { type: 'end', sources: [], confidence: 0.9, answered: true };
  }
}

/** A model that says what a test lets it, when it lets it. */
export class PacedModel implements Model {
  readonly name = 'paced';
  readonly #answers: PacedAnswer[] = [];
  #taken = 0;
  #wake = () => {};

  /** The next answer that is wanted and that no call has returned yet. */
  async nextAnswer(): Promise<PacedAnswer> {
    for (;;) {
      const answer = this.#answers[this.#taken];
      if (answer !== undefined) {
        this.#taken += 1;
        return answer;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  answer(request: ModelRequest): AsyncIterable<ModelPart> {
    const answer = new PacedAnswer(request);
    this.#answers.push(answer);
    this.#wake();
    return answer.parts();
  }
}
