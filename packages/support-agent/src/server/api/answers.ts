import { z } from 'zod';
import { statusSchema } from './schemas.ts';

/** What the server answers. These are what `/docs` shows, and the tests hold every answer to them. */

/** Schemas that the document names, and refers to by their names. */
export const components = z.registry<{ id: string }>();

const time = z.iso.datetime();
const count = z.int().min(0);

export const problemAnswer = z
  .strictObject({
    type: z.string().describe('`urn:holdfast:error:` and the code.'),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().describe('What was wrong, and what to do.'),
    code: z.string().describe('Stable: what a program may go by.'),
  })
  .describe('A refusal or a failure (RFC 9457).')
  .register(components, { id: 'Problem' });

const ticketAnswer = z
  .strictObject({
    id: z.string(),
    reason: z.string(),
    from_seq: count,
    to_seq: count,
    created_at: time,
  })
  .describe('What a person finds the conversation by.')
  .register(components, { id: 'Ticket' });

export const sessionAnswer = z
  .strictObject({
    session_id: z.string(),
    user_id: z.string().nullable(),
    thread_id: z.string(),
    status: statusSchema.describe(
      'active: the assistant answers. handed_over: a person does. closed: no more messages.',
    ),
    escalated: z.boolean().describe('A person is needed.'),
    ticket: ticketAnswer.nullable().describe('The one that waits for that person.'),
    message_count: count.describe('The customer’s messages.'),
    metadata: z.record(z.string(), z.unknown()),
    created_at: time,
    updated_at: time,
    last_activity: time,
    expires_at: time,
    version: count.describe('Grows with every change.'),
  })
  .describe('A session.')
  .register(components, { id: 'Session' });

export const newSessionAnswer = z
  .strictObject({
    ...sessionAnswer.shape,
    token: z.string().describe('The session’s secret. It is told here and nowhere else.'),
  })
  .describe('The new session, with its token.')
  .register(components, { id: 'NewSession' });

export const sessionsAnswer = z
  .strictObject({
    sessions: z.array(sessionAnswer),
    unreadable: z
      .array(z.strictObject({ session_id: z.string(), code: z.string(), reason: z.string() }))
      .describe('Sessions that are there and cannot be read, and why: they count for no limit.'),
    next_cursor: z.string().nullable().describe('The next page’s `cursor`; null on the last.'),
  })
  .describe('A page of sessions, in a stable order.')
  .register(components, { id: 'Sessions' });

/** For a customer: what cannot be read is the operators' to mend. */
export const othersAnswer = sessionsAnswer
  .omit({ unreadable: true })
  .describe('A page of one user’s sessions, in a stable order.');

export const messageAnswer = z
  .strictObject({
    id: z.string(),
    seq: z.int().min(1).describe('Its place in the conversation.'),
    role: z.enum(['user', 'assistant', 'tool', 'system', 'operator']),
    content: z.unknown().describe('Any JSON; what somebody said has it as `text`.'),
    created_at: time,
  })
  .describe('A message as it is stored.')
  .register(components, { id: 'Message' });

export const historyAnswer = z
  .strictObject({
    messages: z.array(messageAnswer).describe('Oldest first.'),
    next_before: z
      .int()
      .nullable()
      .describe('The next page’s `before`; null when nothing is older.'),
  })
  .describe('A page of the conversation.')
  .register(components, { id: 'History' });

const sessionStatsAnswer = z
  .strictObject({
    store_type: z.enum(['in_memory', 'redis']),
    active_sessions: count,
    max_sessions: count.nullable(),
    active_leases: count.describe('Turns that run.'),
    waiters: count.describe('Turns that wait for their session.'),
    l1_cache_enabled: z.boolean(),
    l1_cache_size: count,
    l1_cache_hit_rate: z.number().min(0).max(1),
    encryption_enabled: z.boolean(),
    locking_enabled: z.boolean(),
  })
  .describe('How the session store stands.')
  .register(components, { id: 'SessionStats' });

const durations = z
  .strictObject({
    count,
    p50: z.number(),
    p95: z.number(),
    p99: z.number(),
    max: z.number(),
  })
  .describe('Milliseconds, over the last one to two minutes.');

export const statsAnswer = z
  .strictObject({
    ...sessionStatsAnswer.shape,
    l1_cache_hits: count,
    l1_cache_misses: count,
    l1_cache_invalidations: count.describe('Sessions that left it because they had changed.'),
    encryption_key_ids: z.array(z.string()).describe('Of the ring’s keys, the writing one first.'),
    turns: z
      .strictObject({
        begun: count,
        replayed: count.describe('Repeats that got a stored outcome.'),
        commits: count.describe('Checkpoints included.'),
        wait_ms: durations.describe('From the asking to the lease.'),
        commit_ms: durations,
        refusals: z.record(z.string(), count).describe('By the error’s code.'),
      })
      .describe('Of this instance, since its start.'),
    redis: z
      .strictObject({
        version: z.string(),
        used_memory_bytes: count,
        connected_clients: count,
      })
      .nullable(),
  })
  .describe('The session store’s figures.')
  .register(components, { id: 'Stats' });

const sourceAnswer = z
  .strictObject({
    id: z.string(),
    title: z.string(),
    heading: z.string(),
    score: z.number().describe('Comparable within one search only.'),
  })
  .describe('The part of an article that an answer rests on.')
  .register(components, { id: 'Source' });

export const replyAnswer = z
  .strictObject({
    message: z.string().describe('Empty when a person has the conversation.'),
    sources: z.array(sourceAnswer),
    requires_escalation: z.boolean(),
    confidence: z.number().min(0).max(1),
    tools_used: z.array(z.string()),
    processing_time: z.number().min(0).describe('Seconds, waiting for other messages included.'),
    metadata: z.strictObject({
      session_stats: sessionStatsAnswer.nullable(),
      ticket: ticketAnswer.nullable(),
    }),
  })
  .describe('The answer to a message.')
  .register(components, { id: 'Reply' });

export const liveEvent = z
  .looseObject({
    seq: z.int().min(1).describe('Its place in the session’s live output, and the event’s id.'),
    turn_id: z.string(),
    created_at: time,
    type: z.string().describe('The event’s name.'),
  })
  .describe('A live event: its place, and what its type says.')
  .register(components, { id: 'LiveEvent' });

export const searchAnswer = z
  .strictObject({
    results: z.array(z.strictObject({ ...sourceAnswer.shape, text: z.string() })),
  })
  .describe('Passages of the articles, best first.')
  .register(components, { id: 'SearchResults' });

export const cleanupAnswer = z
  .strictObject({ removed: count.describe('Expired sessions that were removed.') })
  .describe('What was cleaned up.');

export const revokedAnswer = z
  .strictObject({ revoked: count.describe('Sessions that were ended.') })
  .describe('What was ended.');

export const liveAnswer = z.strictObject({ live: z.literal(true) }).describe('The process runs.');

export const readyAnswer = z.strictObject({ ready: z.boolean() }).describe('Whether it can work.');

export const healthAnswer = z
  .strictObject({
    healthy: z.boolean(),
    operations: z.strictObject({ set: z.boolean(), get: z.boolean(), delete: z.boolean() }),
    stats: statsAnswer.optional().describe('For operators, while the store works.'),
  })
  .describe('Whether the session store works.')
  .register(components, { id: 'Health' });

export const nothing = z.null().describe('It was done.');
export const eventStream = z.string().describe('Events: see the description.');
export const metricsText = z.string().describe('Metrics in Prometheus’s text format.');
