import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisSessionStore } from '../redis/redis-session-store.ts';
import type { StoreStats } from '../store/store-stats.ts';
import { onRedis } from './redis-store.ts';
import { type CommonOptions, exitCodes, type Terminal, widthOf } from './terminal.ts';
import { bytes, count } from './text.ts';

export interface StatsOptions extends CommonOptions {
  readonly watch?: boolean;
  /** Between two looks, in seconds. */
  readonly interval: number;
}

/** What all instances together have; what is told of one process is not this one's affair. */
type Shown = Pick<
  StoreStats,
  | 'storeType'
  | 'activeSessions'
  | 'activeLeases'
  | 'waiters'
  | 'encryptionEnabled'
  | 'encryptionKeyIds'
  | 'lockingEnabled'
  | 'server'
>;

/** `holdfast stats`. @throws ConfigError, StoreUnavailableError */
export function stats(options: StatsOptions, terminal: Terminal): Promise<number> {
  return onRedis(options, terminal, (store) =>
    options.watch ? watch(store, options, terminal) : once(store, options, terminal),
  );
}

async function once(
  store: RedisSessionStore,
  { json }: StatsOptions,
  { out, signal }: Terminal,
): Promise<number> {
  const seen = await look(store, signal);
  out.write(json ? `${JSON.stringify(seen)}\n` : `${lines(seen).join('\n')}\n`);
  return exitCodes.done;
}

const clear = '\x1b[H\x1b[J';
/** Looks whose figures are drawn. */
const kept = 60;

async function watch(
  store: RedisSessionStore,
  { json, interval }: StatsOptions,
  terminal: Terminal,
): Promise<number> {
  const { out, signal } = terminal;
  const history: Shown[] = [];
  for (;;) {
    const seen = await look(store, signal);
    history.push(seen);
    if (history.length > kept) history.shift();
    if (json) out.write(`${JSON.stringify({ at: Date.now(), ...seen })}\n`);
    else if (out.isTTY) out.write(clear + drawn(history, widthOf(terminal)));
    else out.write(`${line(seen)}\n`);
    await sleep(interval * 1000, undefined, { signal });
  }
}

async function look(store: RedisSessionStore, signal: AbortSignal): Promise<Shown> {
  const { storeType, activeSessions, activeLeases, waiters, server, ...rest } =
    await store.getStats({ signal });
  const { encryptionEnabled, encryptionKeyIds, lockingEnabled } = rest;
  return {
    ...{ storeType, activeSessions, activeLeases, waiters, lockingEnabled },
    ...{ encryptionEnabled, encryptionKeyIds, server },
  };
}

function lines({ activeSessions, activeLeases, waiters, server, ...rest }: Shown): string[] {
  const { encryptionEnabled, encryptionKeyIds, lockingEnabled } = rest;
  const encryption = encryptionEnabled ? `on, keys ${encryptionKeyIds.join(' ')}` : 'off';
  return [
    `sessions    ${count(activeSessions)}`,
    `turns now   ${count(activeLeases)}`,
    `waiting     ${count(waiters)}`,
    `encryption  ${encryption}`,
    `locking     ${lockingEnabled ? 'on' : 'off'}`,
    ...(server === null
      ? []
      : [
          `redis       ${server.version}, ${bytes(server.usedMemoryBytes)}, ${count(server.connectedClients)} clients`,
        ]),
  ];
}

function line({ activeSessions, activeLeases, waiters, server }: Shown): string {
  const memory = server === null ? '' : `, ${bytes(server.usedMemoryBytes)}`;
  return `${count(activeSessions)} sessions, ${count(activeLeases)} turns, ${count(waiters)} waiting${memory}`;
}

const bars = '▁▂▃▄▅▆▇█';

/** The newest figures, and how three of them have gone. */
function drawn(history: readonly Shown[], width: number): string {
  const newest = history.at(-1);
  if (newest === undefined) return '';
  const courses = (['activeSessions', 'activeLeases', 'waiters'] as const).map((name) => {
    const values = history.slice(-Math.max(width - 12, 1)).map((seen) => seen[name]);
    const most = Math.max(...values, 1);
    return values.map((value) => bars[Math.round((value / most) * (bars.length - 1))]).join('');
  });
  const shown = lines(newest).flatMap((text, at) =>
    courses[at] === undefined ? [text] : [text, `            ${courses[at]}`],
  );
  return `${shown.map((text) => text.slice(0, width)).join('\n')}\n\nCtrl-C ends it.\n`;
}
