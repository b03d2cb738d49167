import { AsyncLocalStorage } from 'node:async_hooks';
import { SessionBusyError } from '../errors/errors.ts';

interface RunningTurn {
  readonly store: object;
  readonly sessionId: string;
  readonly outer: RunningTurn | undefined;
  active: boolean;
}

/** The turns that the current code runs inside of, innermost first. One for all managers. */
const running = new AsyncLocalStorage<RunningTurn>();

/**
 * Runs `work` as a turn, so that one on the same session inside of it is known.
 */
export async function runInTurn<Result>(
  store: object,
  sessionId: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const turn: RunningTurn = { store, sessionId, outer: innermost(), active: true };
  try {
    return await running.run(turn, work);
  } finally {
    turn.active = false; // work that was left behind runs on outside of any turn
  }
}

/** The innermost turn that still runs: ended ones are let go, so that chains of work stay short. */
function innermost(): RunningTurn | undefined {
  let turn = running.getStore();
  while (turn !== undefined && !turn.active) turn = turn.outer;
  return turn;
}

/** @throws SessionBusyError inside a turn on the same session: it would wait for itself. */
export function refuseNested(store: object, sessionId: string): void {
  for (let turn = innermost(); turn !== undefined; turn = turn.outer) {
    if (turn.active && turn.store === store && turn.sessionId === sessionId) {
      throw new SessionBusyError(`This code already runs inside a turn on session ${sessionId}.`);
    }
  }
}
