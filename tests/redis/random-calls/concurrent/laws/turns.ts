import { lasting } from '../caller.ts';
import { isAnswered, resultOf, text } from '../history.ts';
import { type Round, saidIn } from './round.ts';

/** Law 6: under one key a turn runs once, and all who ask are told the same. */
export function* keyedTurns(round: Round): Iterable<string> {
  const outcomes = new Map<string, string>();
  for (const { id, mark, isKeyed, outcome } of round.turns) {
    if (!isKeyed || outcome === undefined) continue;
    const first = outcomes.get(mark) ?? outcome;
    outcomes.set(mark, first);
    if (first !== outcome) yield `of ${mark} was told ${first} and ${outcome}`;
    const run = round.found.get(id)?.session.metadata[mark];
    if (run !== first) yield `${id} has ${run} of ${mark}, of which was told ${first}`;
    const said = saidIn(round, id);
    const lost = [`${mark} asks`, `${mark} is answered`].filter((each) => !said.includes(each));
    if (lost.length > 0) yield `${id} lacks "${lost}"`;
  }
}

/** Law 6: an attempt behind one that has stored something is not the first, and behind an outcome there is none. */
export function* attempts({ grants, history }: Round): Iterable<string> {
  for (const { id, call, lease } of grants) {
    const key = lease.idempotency?.key;
    if (key === undefined) continue;
    const begun = resultOf(call);
    const isFirst = begun?.kind === 'granted' && begun.attempt === 1;
    for (const commit of history.all('commit')) {
      const [{ sessionId, idempotency, nonce }, , { keep }] = commit.args;
      const isOwn = sessionId === id && idempotency?.key === key && nonce !== lease.nonce;
      if (!isOwn || !isAnswered(commit) || commit.end > call.start) continue;
      if (!keep) yield `${text(call)} began what ${text(commit)} had done`;
      else if (isFirst) yield `${text(call)} was the first, after ${text(commit)}`;
    }
  }
}

/** Law 10: what is told as made is there, and what is told as lost is not. */
export function* toldOfTurns(round: Round): Iterable<string> {
  for (const { id, mark, isKeyed, outcome, failure } of round.turns) {
    if (isKeyed || !lasting.includes(id)) continue;
    const isThere = saidIn(round, id).includes(`${mark} is answered`);
    if (outcome !== undefined && !isThere) yield `${id} lacks ${mark}, which was told as made`;
    if (isThere && failure !== undefined && failure !== 'OUTCOME_UNKNOWN') {
      yield `${id} has ${mark}, which was told as ${failure}`;
    }
  }
}
