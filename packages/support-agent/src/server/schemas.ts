import type { JsonObject } from 'holdfast';
import { z } from 'zod';
import { messageSchema } from '../agent/message.ts';

/** As the library's ids; checked here too, so that a bad one is refused whoever asks. */
const idSchema = z
  .string()
  .regex(/^[A-Za-z0-9._:@-]{1,255}$/, 'must be 1 to 255 characters of A-Z a-z 0-9 . _ : @ -');

/**
 * Handed on untouched: the library checks depth, keys and size of metadata, and copying it here
 * could hide what it has to see.
 */
const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be a JSON object',
);

export const sessionParams = z.object({ id: idSchema });

export const createSessionBody = z
  .strictObject({ user_id: idSchema.optional(), metadata: jsonObject.optional() })
  .nullish();

export const messageBody = z.strictObject({ message: messageSchema });

export const messageHeaders = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters without spaces')
    .optional(),
});

const wholeNumber = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number')
  .transform(Number);

export const historyQuery = z.strictObject({
  limit: wholeNumber
    .refine((limit) => limit >= 1 && limit <= 200, 'must be from 1 to 200')
    .default(50),
  before: wholeNumber.refine((seq) => seq >= 1, 'must be at least 1').optional(),
});
