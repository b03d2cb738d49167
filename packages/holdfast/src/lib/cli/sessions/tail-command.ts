import type { TurnEvent } from '../../model/turn-event.ts';
import { onRedis } from '../redis-store.ts';
import { type CommonOptions, exitCodes, type Terminal } from '../terminal.ts';
import { printable } from '../text.ts';

export interface TailOptions extends CommonOptions {
  /** Begin behind this event; only what comes new unless given. */
  readonly after?: number;
}

/** `holdfast sessions tail`: until the session or the terminal ends it. @throws SessionNotFoundError */
export function tailSession(id: string, options: TailOptions, terminal: Terminal): Promise<number> {
  const { out, err, signal } = terminal;
  return onRedis(options, terminal, async (store) => {
    const onReady = () => {
      if (!options.json) err.write(`Listening to ${id}. Ctrl-C ends it.\n`);
    };
    for await (const event of store.subscribe(id, { after: options.after, signal, onReady })) {
      out.write(`${options.json ? JSON.stringify(event) : lineOf(event)}\n`);
    }
    if (signal.aborted) return exitCodes.interrupted;
    err.write('The session has ended.\n');
    return exitCodes.done;
  });
}

function lineOf({ seq, turnId: _, createdAt, type, ...fields }: TurnEvent): string {
  const time = new Date(createdAt).toISOString().slice(11, 23);
  const rest = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
  return printable(`${time} #${seq} ${type}${rest}`);
}
