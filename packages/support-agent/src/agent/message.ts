import { ValidationError } from 'holdfast';
import { z } from 'zod';

/** A customer's message, as UTF-8. */
const maxMessageBytes = 16 * 1024;

/**
 * Something a reader could see: not only spaces, control and formatting characters, and what fonts draw
 * as nothing: fillers of Hangul, selectors of variants (Unicode, section 5.21), and Braille without a dot.
 */
const visible = /[^\s\u2800\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;

export const messageSchema = z
  .string()
  .refine((text) => visible.test(text), 'must not be empty or blank')
  .refine(
    (text) => Buffer.byteLength(text) <= maxMessageBytes,
    `must be at most ${maxMessageBytes} bytes of UTF-8 (16 KB); send a longer text in parts`,
  );

/** @throws ValidationError for a message that is empty, blank or over 16 KB. */
export function assertMessage(text: string): void {
  const result = messageSchema.safeParse(text);
  if (result.success) return;
  const [issue] = result.error.issues;
  throw new ValidationError(`message: ${issue?.message ?? 'not valid'}.`);
}
