import type { JsonObject } from 'holdfast';
import { z } from 'zod';
import { messageSchema } from '../../agent/message.ts';
import { ticketIdPattern } from '../../tools/support-record.ts';

/** What requests may hold. What answers hold is in `answers.ts`. */

/** As the library's ids; checked here too, so that a bad one is refused whoever asks. */
const idSchema = z
  .string()
  .regex(/^[A-Za-z0-9._:@-]{1,255}$/, 'must be 1 to 255 characters of A-Z a-z 0-9 . _ : @ -');

/**
 * Handed on untouched: the library checks depth, keys and size of metadata, and copying it here
 * could hide what it has to see.
 */
const jsonObject = z
  .custom<JsonObject>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be a JSON object',
  )
  .meta({ type: 'object' });

export const statusSchema = z.enum(['active', 'handed_over', 'closed']);

export const sessionParams = z.object({ id: idSchema });

export const userParams = z.object({ id: idSchema });

export const createSessionBody = z
  .strictObject({
    user_id: idSchema.optional().describe('Whose session it is. Operators only.'),
    metadata: jsonObject.optional().describe('Any JSON object of at most 1 MB.'),
  })
  .nullish()
  .meta({ examples: [{ metadata: { page: 'faq' } }] });

export const statusBody = z.strictObject({
  status: statusSchema,
  if_ticket: z
    .string()
    .regex(ticketIdPattern, 'must be the id of a ticket, or null')
    .nullish()
    .describe(
      'Only if this is the `id` of the session’s open `ticket`, or null and it has none; otherwise 409.',
    ),
});

const text = messageSchema.meta({ minLength: 1 }).describe('Not blank; at most 16 KB of UTF-8.');

export const messageBody = z
  .strictObject({
    message: text,
    attachments: z
      .array(z.unknown())
      .max(0, 'must be empty or left out: attachments are not taken here')
      .optional()
      .describe('Reserved: attachments are not taken here, only an empty list is.'),
  })
  .meta({ examples: [{ message: 'How long does a refund take?' }] });

export const operatorMessageBody = z.strictObject({ message: text });

export const idempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters without spaces')
    .optional()
    .describe('A repeat under the same key is done once, and gets the first one’s answer.'),
});

/** A number in a query or a header. */
function whole(min: number, max: number, message: string) {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .refine((number) => number >= min && number <= max, message)
    .meta({
      type: 'integer',
      minimum: min,
      ...(max < Number.MAX_SAFE_INTEGER && { maximum: max }),
    });
}

const pageLimit = whole(1, 200, 'must be from 1 to 200').default(50).describe('50 unless given.');

export const historyQuery = z.strictObject({
  limit: pageLimit,
  before: whole(1, Number.MAX_SAFE_INTEGER, 'must be at least 1')
    .optional()
    .describe('Only messages with a smaller seq: the `next_before` of the page before.'),
});

const eventSeq = whole(0, Number.MAX_SAFE_INTEGER, 'must be at least 0').optional();

export const streamQuery = z.strictObject({
  after: eventSeq.describe(
    'The seq of the last event that was seen: the stream goes on behind it. 0 replays what is still kept.',
  ),
});

export const streamHeaders = z.object({
  // An empty one is what a reader has that has seen no id.
  'last-event-id': z
    .preprocess((id) => (id === '' ? undefined : id), eventSeq)
    .optional()
    .meta({ type: 'integer', minimum: 0 })
    .describe('As `after`, which it takes precedence over; EventSource sends it by itself.'),
});

export const searchBody = z.strictObject({
  query: z
    .string()
    .refine((query) => query.trim() !== '', 'must not be empty or blank')
    .refine((query) => query.length <= 1_000, 'must be at most 1,000 characters')
    .meta({ minLength: 1, maxLength: 1_000 }),
  limit: z
    .number()
    .refine((limit) => Number.isInteger(limit) && limit >= 1 && limit <= 20, 'must be 1 to 20')
    .meta({ type: 'integer', minimum: 1, maximum: 20 })
    .default(5),
});

const page = {
  limit: pageLimit,
  cursor: z.string().optional().describe('The `next_cursor` of the page before.'),
};

export const listQuery = z.strictObject({
  status: statusSchema.optional(),
  user_id: idSchema.optional(),
  ...page,
});

export const userSessionsQuery = z.strictObject(page);
