import { SessionManager } from '../../../../packages/holdfast/src/lib/manager/session-manager.ts';
import type { SessionStatus } from '../../../../packages/holdfast/src/lib/model/session.ts';
import type { TurnEvent } from '../../../../packages/holdfast/src/lib/model/turn-event.ts';
import type { SessionStore } from '../../../../packages/holdfast/src/lib/store/session-store.ts';
import { seededRandom } from '../../support/lines/seeded-random.ts';
import { Beats } from './beats.ts';
import { Caller, lasting, mortal, replaced, type TurnMade, users } from './caller.ts';
import { factsOf } from './facts.ts';
import { History, text } from './history.ts';
import { breaches } from './laws/laws.ts';
import type { Found } from './laws/round.ts';
import type { Scene } from './scenes.ts';

export interface RoundOptions {
  readonly seed: number;
  readonly callers: number;
  /** Of each caller. */
  readonly calls: number;
  readonly idleTimeoutMs: number;
}

export interface Played {
  /** What was against the laws of the contract. */
  readonly breaches: readonly string[];
  /** All calls, in order. */
  readonly log: readonly string[];
}

const beatMs = 100;
const leaseMs = 3_000;
/** So much time passes before those sessions that last are kept from expiring. */
const stepMs = 500;
/** Longer than a lease that nobody gives back, and shorter than sessions live on that nobody uses. */
const settledMs = 5_000;
/** For so long an entry in a user's index may be of a session that is about to begin, and a bit. */
const unconfirmedMs = 10_001;
/** Longer than anything that a call has left behind. */
const longestMs = 90_000;
const statuses: readonly SessionStatus[] = ['active', 'handed_over', 'closed'];

/** Lets callers call, and compares what they were told, and what is there at the end, with the laws. */
export async function play(scene: Scene, options: RoundOptions): Promise<Played> {
  const { clock, judge, stores } = scene;
  const { seed, idleTimeoutMs } = options;
  const history = new History(clock);
  const instances = stores.map(
    (store, at) => new SessionManager({ store: history.of(store, at), clock, leaseMs }),
  );
  const credentials = { tokenHash: 'first', authenticatedAt: 1, clientBinding: null };
  const stay = [...lasting, replaced];
  for (const id of stay) await judge.create(id, { threadId: id }, { credentials });
  const pass = async () => {
    await clock.advance(stepMs);
    await Promise.all(stay.map((id) => judge.touch(id)));
  };
  const turns: TurnMade[] = [];
  const beats = new Beats(clock, beatMs);
  const calling = Array.from({ length: options.callers }, (_, at) => {
    const random = seededRandom(seed * 1_000 + at);
    return new Caller({ random, instances, beats, turns, name: String(at) }).make(options.calls);
  });
  let areDone = false;
  const done = Promise.all(calling).then(() => {
    areDone = true;
  });
  while (!areDone) await pass();
  await done;
  scene.calm();
  const pending = () => history.calls.filter(({ answer }) => answer === undefined);
  for (let ms = 0; ms < settledMs || (ms < longestMs && pending().length > 0); ms += stepMs) {
    await pass();
  }
  const found = await allOf(judge, clock);
  const hadFaults = scene.hadFaults();
  const round = { ...factsOf(history), turns, found, hadFaults, idleTimeoutMs };
  return {
    breaches: [
      ...pending().map((call) => `${text(call)} hangs`),
      ...breaches(round),
      ...(await indexed(judge, found)),
      ...(await endedAll(scene, found)),
    ],
    log: history.calls.map(text),
  };
}

/** What is there, by id; each has a turn more, for nothing may keep it from one. */
async function allOf(store: SessionStore, clock: Scene['clock']) {
  const sessions = new SessionManager({ store, clock });
  const found = new Map<string, Found>();
  for (const id of [...lasting, replaced, ...mortal]) {
    const stored = await store.getWithCredentials(id);
    if (stored === null) continue;
    const messages = await store.messages(id);
    await sessions.turn(id, { onBusy: 'reject' }, (turn) => turn.emit({ type: 'last' }));
    const events: TurnEvent[] = [];
    for await (const event of store.subscribe(id, { after: 0 })) {
      events.push(event);
      if (event.type === 'last') break;
    }
    found.set(id, { ...stored, messages, events });
  }
  return found;
}

/** What listings and counts say amiss of what is there. */
async function indexed(store: SessionStore, found: ReadonlyMap<string, Found>) {
  const all = [...found.values()].map(({ session }) => session);
  const wrong: string[] = [];
  const compare = async (
    filter: { readonly status?: SessionStatus; readonly userId?: string },
    is: (session: (typeof all)[number]) => boolean,
  ) => {
    const { sessions } = await store.listActive(filter);
    const ids = sessions.map(({ id }) => id).sort();
    const due = all.filter(is).map(({ id }) => id);
    if (String(ids) !== String(due.sort())) {
      wrong.push(`the listing by ${JSON.stringify(filter)} has ${ids}, and should have ${due}`);
    }
  };
  await compare({}, () => true);
  for (const status of statuses) await compare({ status }, (session) => session.status === status);
  for (const userId of users) await compare({ userId }, (session) => session.userId === userId);
  await store.cleanupExpired();
  const count = await store.countActive();
  if (count !== all.length) wrong.push(`${count} are counted, and ${all.length} are there`);
  return wrong;
}

/** What is amiss when all sessions are ended. */
async function endedAll(
  { clock, judge, leftovers, hadFaults }: Scene,
  found: ReadonlyMap<string, Found>,
) {
  const ended = await judge.deleteAll();
  if (hadFaults()) {
    // Of a creation that was never confirmed the user's index has an entry, which readers heal in time.
    await clock.advance(unconfirmedMs);
    for (const userId of users) await judge.listActive({ userId });
  }
  const left = await leftovers();
  return [
    ...(ended === found.size ? [] : [`${ended} were ended of ${found.size}`]),
    ...(left.length === 0 ? [] : [`${left} is left when all sessions have ended`]),
  ];
}
