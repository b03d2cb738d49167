import { lasting, replaced } from '../caller.ts';
import type { Write } from '../facts.ts';
import { isAnswered, resultOf, sessionOf, text } from '../history.ts';
import { type Round, saidIn } from './round.ts';

/** Law 2: of increments all that were acknowledged count, and none that was refused; each once. */
export function* counters(round: Round): Iterable<string> {
  for (const [id, { session }] of round.found) {
    for (const counter of ['clicks', 'looks', 'messageCount', 'answers']) {
      const own = round.writes.filter((write) => write.id === id && mayBeIn(round, write));
      const sum = (fates: readonly Write['fate'][]) =>
        own.reduce((total, { adds, fate }) => {
          return total + (fates.includes(fate) ? (adds.get(counter) ?? 0) : 0);
        }, 0);
      // Which session of a mortal name a counter from outside went to, nobody was told.
      const least = lasting.includes(id) ? sum(['made']) : 0;
      const most = sum(['made', 'unknown']);
      const value = session.counters[counter] ?? 0;
      if (value < least || value > most) {
        yield `${counter} of ${id} is ${value}, and should be from ${least} to ${most}`;
      }
    }
  }
}

/** Law 2: no two increments are told the same value. */
export function* counted({ history }: Round): Iterable<string> {
  const byValue = new Map<string, string>();
  for (const call of history.all('incrementCounter')) {
    const [id, name, , { nonce = '' } = {}] = call.args;
    const value = resultOf(call);
    if (value === undefined || !lasting.includes(id)) continue;
    const place = `${name} of ${id} ${value}`;
    const other = byValue.get(place) ?? nonce;
    if (other !== nonce) yield `${nonce} and ${other} both made ${place}`;
    byValue.set(place, nonce);
  }
}

/**
 * Histories have no gap, nothing twice, all that was acknowledged, and nothing that was refused; and
 * law 5: nothing that was written into another session of the name.
 */
export function* messages(round: Round): Iterable<string> {
  for (const [id, { messages: stored }] of round.found) {
    if (stored.some(({ seq }, at) => seq !== at + 1)) {
      yield `${id} has the messages ${stored.map(({ seq }) => seq)}`;
    }
    const contents = saidIn(round, id);
    const own = round.writes.filter((write) => write.id === id);
    for (const [at, content] of contents.entries()) {
      if (contents.indexOf(content) !== at) yield `${id} has "${content}" twice`;
      const isWritten = own.some(
        (write) =>
          write.said.includes(content) && write.fate !== 'refused' && mayBeIn(round, write),
      );
      if (!isWritten) yield `${id} has "${content}", which was not written into it`;
    }
    for (const write of own) {
      const lost = write.said.filter((content) => !contents.includes(content));
      if (lost.length === 0 || !isSurelyIn(round, write)) continue;
      if (write.fate === 'made') yield `${id} lacks "${lost}" of ${write.nonce}`;
    }
  }
  for (const call of round.history.all('appendMessages', 'commit')) {
    const value = resultOf(call);
    const placed = value !== undefined && 'messages' in value ? value.messages : value;
    if (!lasting.includes(sessionOf(call))) continue;
    for (const { seq, content } of placed ?? []) {
      const there = saidIn(round, sessionOf(call))[seq - 1];
      if (there !== content) yield `${text(call)} had "${content}" at ${seq}, where is "${there}"`;
    }
  }
}

/** Law 3, as a history shows it: nothing of a holder stands behind what a later one wrote. */
export function* order(round: Round): Iterable<string> {
  for (const id of round.found.keys()) {
    let newest = 0;
    for (const content of saidIn(round, id)) {
      const [write, ...others] = round.writes.filter(
        ({ said, fate }) => said.includes(content) && fate !== 'refused',
      );
      const fence = write?.lease?.fence;
      if (fence === undefined || others.length > 0) continue;
      if (fence < newest) yield `${id} has "${content}" of ${fence} behind something of ${newest}`;
      newest = fence;
    }
  }
}

/** Law 2: of updates of different keys all that were acknowledged are kept, and none that was refused. */
export function* metadata(round: Round): Iterable<string> {
  const { found, writes, looks, names } = round;
  for (const [id, { session }] of found) {
    if (id === replaced) continue;
    const own = writes.filter((write) => write.id === id);
    for (const { keys, fate, lease, nonce, calls } of own) {
      const shown = looks.find(({ call }) => calls.includes(call))?.session.threadId;
      const isIn = (lease ? names.get(lease.incarnation) : shown) === session.threadId;
      const lost = keys.filter((key) => !(key in session.metadata));
      if (fate === 'made' && isIn && lost.length > 0) yield `${id} lacks ${lost} of ${nonce}`;
    }
    for (const key of Object.keys(session.metadata)) {
      const isWritten = own.some(
        (write) => write.keys.includes(key) && write.fate !== 'refused' && mayBeIn(round, write),
      );
      if (!isWritten) yield `${id} has ${key}, which was not written into it`;
    }
  }
}

/** A commit is there as a whole or not at all. */
export function* wholeCommits(round: Round): Iterable<string> {
  for (const { id, lease, said, keys, nonce } of round.writes) {
    const session = round.found.get(id)?.session;
    // Under a key several attempts write the same.
    if (session === undefined || lease === undefined || lease.idempotency !== undefined) continue;
    const parts = [
      ...said.map((content) => saidIn(round, id).includes(content)),
      ...keys.map((key) => key in session.metadata),
    ];
    if (new Set(parts).size > 1) yield `${id} has a part of ${nonce} only`;
  }
}

/** Live output has no gap, is there once, and where it was acknowledged. */
export function* liveOutput({ found, history, names }: Round): Iterable<string> {
  for (const [id, { session, events }] of found) {
    if (events.some(({ seq }, at) => seq !== at + 1)) {
      yield `${id} has the events ${events.map(({ seq }) => seq)}`;
    }
    const shown = events.flatMap(({ text: own }) => (own === undefined ? [] : [String(own)]));
    for (const [at, own] of shown.entries()) {
      if (shown.indexOf(own) !== at) yield `${id} showed "${own}" twice`;
    }
    for (const call of history.all('emit', 'commit')) {
      const [{ incarnation }] = call.args;
      const output = call.method === 'emit' ? call.args[1] : (call.args[1].output ?? []);
      const isIn = names.get(incarnation) === session.threadId;
      if (!isIn || !isAnswered(call)) continue;
      const lost = output.filter(
        (piece) => piece.type === 'text' && !shown.includes(`${piece.text}`),
      );
      if (lost.length > 0) yield `${text(call)} showed nothing of ${JSON.stringify(lost)}`;
    }
  }
}

/** Whether it may be in the session that has the name now: of one from outside nobody knows. */
function mayBeIn({ names, found }: Round, { id, lease }: Write): boolean {
  return !lease || names.get(lease.incarnation) === found.get(id)?.session.threadId;
}

function isSurelyIn(round: Round, write: Write): boolean {
  return write.lease ? mayBeIn(round, write) : lasting.includes(write.id);
}
