import type { HoldfastError } from '../../errors/errors.ts';
import { gone, interrupted, leaseLost } from '../core/refusals.ts';

/** What one that waits for a lease, or holds one, is told by other instances. */
export interface InboxOwner {
  readonly sessionId: string;
  /** It is its turn now: the lease is its own for long enough to claim it. */
  readonly granted: () => void;
  /** Its lease is being taken away. */
  readonly lost: (reason: HoldfastError, fence: number) => void;
  /** The session that it waits for has ended. */
  readonly gone: () => void;
}

/** The messages to this instance, each for the owner of one nonce. */
export class Inbox {
  readonly #owners = new Map<string, InboxOwner>();

  add(nonce: string, owner: InboxOwner): void {
    this.#owners.set(nonce, owner);
  }

  remove(nonce: string, owner: InboxOwner): void {
    if (this.#owners.get(nonce) === owner) this.#owners.delete(nonce);
  }

  get(nonce: string): InboxOwner | undefined {
    return this.#owners.get(nonce);
  }

  readonly receive = (message: Buffer): void => {
    const [kind, nonce = '', code, fence] = message.toString().split(' ');
    const owner = this.#owners.get(nonce);
    if (owner === undefined) return;
    if (kind === 'granted') owner.granted();
    else if (kind === 'gone') owner.gone();
    else if (kind === 'lost') owner.lost(reasonOf(code, owner.sessionId), Number(fence));
  };

  /** Messages may have been missed: whoever waits asks again. */
  readonly askAgain = (): void => {
    for (const owner of [...this.#owners.values()]) owner.granted();
  };
}

function reasonOf(code: string | undefined, id: string): HoldfastError {
  if (code === 'TURN_INTERRUPTED') return interrupted(id);
  return code === 'SESSION_GONE' ? gone(id) : leaseLost(id);
}
