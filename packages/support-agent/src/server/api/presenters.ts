import type { Message, Session, StoreStats, TurnEvent } from 'holdfast';
import type { MessageReply } from '../../agent/customer-support-agent.ts';
import type { Passage } from '../../knowledge/passage.ts';
import { openTicket } from '../../tools/support-record.ts';

/** What the server says, in HTTP's words: snake_case names and ISO 8601 times. */

export function presentSession(session: Session) {
  return {
    session_id: session.id,
    user_id: session.userId,
    thread_id: session.threadId,
    status: session.status,
    escalated: session.escalated,
    ticket: openTicket(session),
    message_count: session.messageCount,
    metadata: session.metadata,
    created_at: isoTime(session.createdAt),
    updated_at: isoTime(session.updatedAt),
    last_activity: isoTime(session.lastActivity),
    expires_at: isoTime(session.expiresAt),
    version: session.version,
  };
}

export function presentMessage({ id, seq, role, content, createdAt }: Message) {
  return { id, seq, role, content, created_at: isoTime(createdAt) };
}

export function presentReply(reply: MessageReply) {
  const { sessionStats } = reply.toolMetadata;
  return {
    message: reply.message,
    sources: reply.sources,
    requires_escalation: reply.requiresEscalation,
    confidence: reply.confidence,
    tools_used: reply.toolsUsed,
    processing_time: reply.processingTime,
    metadata: {
      session_stats: sessionStats && presentSessionStats(sessionStats),
      ticket: reply.ticket,
    },
  };
}

/** What a reply says of the store: nothing that is the operators' alone. */
function presentSessionStats(stats: StoreStats) {
  return {
    store_type: stats.storeType,
    active_sessions: stats.activeSessions,
    max_sessions: stats.maxSessions,
    active_leases: stats.activeLeases,
    waiters: stats.waiters,
    l1_cache_enabled: stats.l1CacheEnabled,
    l1_cache_size: stats.l1CacheSize,
    l1_cache_hit_rate: stats.l1CacheHitRate,
    encryption_enabled: stats.encryptionEnabled,
    locking_enabled: stats.lockingEnabled,
  };
}

export function presentStats(stats: StoreStats) {
  const { turns, server } = stats;
  return {
    ...presentSessionStats(stats),
    l1_cache_hits: stats.l1CacheHits,
    l1_cache_misses: stats.l1CacheMisses,
    l1_cache_invalidations: stats.l1CacheInvalidations,
    encryption_key_ids: stats.encryptionKeyIds,
    turns: {
      begun: turns.begun,
      replayed: turns.replayed,
      commits: turns.commits,
      wait_ms: turns.waitMs,
      commit_ms: turns.commitMs,
      refusals: turns.refusals,
    },
    redis: server && {
      version: server.version,
      used_memory_bytes: server.usedMemoryBytes,
      connected_clients: server.connectedClients,
    },
  };
}

export function presentPassage({ id, title, heading, text, score }: Passage) {
  return { id, title, heading, text, score };
}

/** A live event. What a turn emits is named as HTTP has it already. */
export function presentEvent({ seq, turnId, createdAt, ...fields }: TurnEvent) {
  return { seq, turn_id: turnId, created_at: isoTime(createdAt), ...fields };
}

/** The second that was told last, up to its point: what is told now is mostly of the same. */
let last = { second: 0, text: '1970-01-01T00:00:00.' };

function isoTime(time: number): string {
  const milliseconds = Math.trunc(time);
  const second = Math.floor(milliseconds / 1_000);
  if (second !== last.second) {
    const text = new Date(second * 1_000).toISOString();
    last = { second, text: text.slice(0, text.indexOf('.') + 1) };
  }
  const rest = milliseconds - second * 1_000;
  return `${last.text}${String(rest).padStart(3, '0')}Z`;
}
