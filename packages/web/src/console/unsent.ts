import type { Kept } from '../storage.ts';
import { fields, readString } from '../wire.ts';

interface Message {
  readonly text: string;
  /** Its idempotency key. */
  readonly key: string;
}

/** By session, the message that may have arrived: it is repeated under its own key, after a reload as well. */
export class Unsent {
  readonly #kept: Kept;
  readonly #newKey: () => string;
  readonly #messages: Map<string, Message>;

  constructor(kept: Kept, newKey: () => string) {
    this.#kept = kept;
    this.#newKey = newKey;
    this.#messages = messagesIn(kept);
  }

  /** The text as it is to be sent now. */
  message(id: string, text: string): Message {
    const before = this.#messages.get(id);
    if (before?.text === text) return before;
    const message = { text, key: this.#newKey() };
    this.#messages.set(id, message);
    this.#keep();
    return message;
  }

  taken(id: string, message: Message): void {
    if (this.#messages.get(id) !== message) return;
    this.#messages.delete(id);
    this.#keep();
  }

  forget(): void {
    this.#messages.clear();
    this.#keep();
  }

  #keep(): void {
    this.#kept.write(this.#messages.size > 0 ? Object.fromEntries(this.#messages) : null);
  }
}

function messagesIn(kept: Kept): Map<string, Message> {
  const messages = Object.entries(fields(kept.read())).flatMap(([id, stored]) => {
    const { text, key } = fields(stored);
    const message = { text: readString(text), key: readString(key) };
    return message.key === '' ? [] : [[id, message] as const];
  });
  return new Map(messages);
}
