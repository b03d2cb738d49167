import { lasting } from '../caller.ts';
import type { Grant } from '../facts.ts';
import { type Call, failureOf, isAnswered, nonceOf, resultOf, text } from '../history.ts';
import type { Round } from './round.ts';

/** Law 3: fencing tokens only grow, and a stale one writes nothing. */
export function* fences({ grants, history }: Round): Iterable<string> {
  for (const { id, call, lease } of grants) {
    for (const other of grants) {
      if (other.id !== id || other.lease.nonce === lease.nonce) continue;
      const isLater = other.call.start > call.end;
      if (other.lease.fence === lease.fence || (isLater && other.lease.fence < lease.fence)) {
        yield `${text(other.call)} got ${other.lease.fence} after ${lease.fence}`;
      }
    }
  }
  const newest = new Map<string, number>();
  for (const { call, version } of committed(history.all('commit'))) {
    const [{ incarnation, fence }] = call.args;
    const before = newest.get(incarnation) ?? 0;
    if (fence < before) yield `${text(call)} of ${fence} made ${version} after one of ${before}`;
    newest.set(incarnation, Math.max(before, fence));
  }
}

/** In the order of the versions that they made. */
function committed(commits: readonly Call<'commit'>[]) {
  return commits
    .flatMap((call) => {
      const version = resultOf(call)?.session.version;
      return version === undefined ? [] : [{ call, version }];
    })
    .sort((one, other) => one.version - other.version);
}

/** Law 3: at most one holder. Nobody gets the session while another one has it. */
export function* holders(round: Round): Iterable<string> {
  const { grants, history } = round;
  const ends = history.all('commit', 'release');
  for (const holder of grants) {
    if (!lasting.includes(holder.id)) continue;
    const { nonce } = holder.lease;
    for (const { id, lease, call } of grants) {
      const isNext = id === holder.id && lease.fence > holder.lease.fence;
      if (!isNext || call.start < holder.call.end) continue;
      const mayHaveEnded = ends.some(
        ({ args, start }) => args[0].nonce === nonce && start < call.end,
      );
      if (mayHaveEnded || isInterrupted(round, holder, call)) continue;
      if (heldUntil(round, holder, call) > call.endMs) {
        yield `${text(call)} got it while ${nonce} had it`;
      }
    }
  }
}

/** Law 3: a write behind the lease's end is refused, and none before it. */
export function* leaseEnds(round: Round): Iterable<string> {
  for (const grant of round.grants) {
    const own = round.history
      .all('renew', 'commit', 'emit', 'release')
      .filter(({ args }) => args[0].nonce === grant.lease.nonce);
    for (const call of own) {
      if (call.method === 'release' || isInterrupted(round, grant, call)) continue;
      const until = heldUntil(round, grant, call);
      const mayBeLonger = own.some((other) => other.start < call.end && !isAnswered(other));
      const isRepeat = own.some(
        (other) => other.start < call.start && nonceOf(call) && nonceOf(other) === nonceOf(call),
      );
      if (isAnswered(call) && call.startMs >= until && !mayBeLonger && !isRepeat) {
        yield `${text(call)} after its end at ${until}`;
      }
      const hasEnded = own.some(
        ({ method, start }) => start < call.start && ['commit', 'release'].includes(method),
      );
      const isEarly = call.endMs < until && !hasEnded && lasting.includes(grant.id);
      if (failureOf(call) === 'LEASE_LOST' && isEarly) {
        yield `${text(call)} before its end at ${until}`;
      }
    }
  }
}

/** By what its holder had been told before this call. */
function heldUntil({ history }: Round, { lease }: Grant, before: Call): number {
  const renewals = history.all('renew', 'commit').flatMap((call) => {
    if (call.args[0].nonce !== lease.nonce || call.end > before.start) return [];
    const value = resultOf(call);
    const renewed = value !== undefined && 'lastSeq' in value ? value.lease : value;
    return renewed ? [renewed.expiresAt] : [];
  });
  return Math.max(lease.expiresAt, ...renewals);
}

/** Whether somebody may have taken its lease by this call, or left it more time for its commit than it had. */
function isInterrupted({ history }: Round, { id }: Grant, before: Call): boolean {
  return history
    .all('begin')
    .some(
      ({ args: [own, { onBusy }], start }) =>
        own === id && onBusy === 'interrupt' && start < before.end,
    );
}
