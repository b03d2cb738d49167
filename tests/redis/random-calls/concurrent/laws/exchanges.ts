import { lasting, replaced } from '../caller.ts';
import { failureOf, isAnswered, resultOf } from '../history.ts';
import type { Round } from './round.ts';

/** Of those who replace the version that they have read one succeeds, and the last one's is there. */
export function* replacements({ history, found }: Round): Iterable<string> {
  const winners = new Map<unknown, string>();
  let newest = { version: 0, by: '' };
  let isKnown = true;
  for (const call of history.all('set')) {
    const [id, , { ifVersion, nonce: by = '' } = {}] = call.args;
    if (id !== replaced) continue;
    if (failureOf(call) === 'OUTCOME_UNKNOWN') isKnown = false;
    const session = resultOf(call);
    if (session === undefined) continue;
    const other = winners.get(ifVersion) ?? by;
    if (other !== by) yield `${by} and ${other} both replaced ${ifVersion}`;
    winners.set(ifVersion, by);
    if (session.version > newest.version) newest = { version: session.version, by };
  }
  const stored = found.get(replaced)?.session.metadata.by ?? '';
  if (isKnown && stored !== newest.by) yield `${stored} is there, and ${newest.by} was the last`;
}

/** Of those who exchange the token that they have read one succeeds, and none brings an old one back. */
export function* tokens({ history, found }: Round): Iterable<string> {
  for (const id of lasting) {
    const winners = new Map<unknown, string>();
    const possible = new Set<unknown>(['first']);
    for (const call of history.all('setCredentials')) {
      const [own, { tokenHash }, { ifTokenHash } = {}] = call.args;
      if (own !== id) continue;
      const by = tokenHash ?? '';
      if (isAnswered(call) || failureOf(call) === 'OUTCOME_UNKNOWN') possible.add(by);
      if (!isAnswered(call)) continue;
      const other = winners.get(ifTokenHash) ?? by;
      if (other !== by) yield `${by} and ${other} both replaced ${ifTokenHash}`;
      winners.set(ifTokenHash, by);
    }
    const last = found.get(id)?.credentials.tokenHash;
    if (!possible.has(last)) yield `${id} has the token ${last}, which nobody gave it`;
    if (winners.has(last)) yield `${id} has ${last}, which ${winners.get(last)} replaced`;
  }
}
