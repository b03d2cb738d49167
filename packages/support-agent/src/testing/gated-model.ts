import type { Model, ModelPart, ModelRequest } from '../model/model.ts';

/** A question that the model was asked, and that stays without an answer until the test gives one. */
export class AskedQuestion {
  readonly request: ModelRequest;
  /** The customer's newest message. */
  readonly text: string;
  readonly outcome: Promise<string>;
  answer!: (text: string) => void;
  fail!: (error: Error) => void;

  constructor(request: ModelRequest) {
    this.request = request;
    const last = request.messages.at(-1);
    this.text = last?.role === 'user' ? last.text : '';
    this.outcome = new Promise((resolve, reject) => {
      this.answer = resolve;
      this.fail = reject;
    });
  }
}

/** A model whose answers a test lets through one by one. */
export class GatedModel implements Model {
  readonly name = 'gated';
  /** Every question so far, in the order of asking. */
  readonly asked: AskedQuestion[] = [];
  #taken = 0;
  #wake = () => {};

  /** The next question that no call has returned yet; waits until it is asked. */
  async nextQuestion(): Promise<AskedQuestion> {
    for (;;) {
      const question = this.asked[this.#taken];
      if (question !== undefined) {
        this.#taken += 1;
        return question;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async *answer(request: ModelRequest): AsyncGenerator<ModelPart> {
    const question = new AskedQuestion(request);
    this.asked.push(question);
    this.#wake();
    yield { type: 'text', text: await question.outcome };
    yield { type: 'end', confidence: 0.9, sources: [], answered: true };
  }
}
