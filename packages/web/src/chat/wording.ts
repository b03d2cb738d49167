import { ApiError } from '../http.ts';

/** As the server has it: 16 KB of UTF-8. */
export const MAX_MESSAGE_BYTES = 16 * 1024;

export const NOTICE = {
  expired: 'Your earlier conversation has ended, so this is a new one.',
  closed: 'Our team has closed this conversation, so this is a new one.',
  ended: 'You ended the conversation. Your next message starts a new one.',
  notEnded: 'The conversation could not be ended just now. Please try again.',
  notLoaded:
    'Your conversation cannot be loaded just now. Nothing of it is lost: it is tried again by itself.',
  notUpdated: 'What may be new here could not be loaded just now.',
  unanswered: 'Your last message has no answer yet.',
  shortened: 'Earlier messages are not shown.',
  notEarlier: 'The earlier messages could not be loaded just now.',
} as const;

export const REASON = {
  stopped: 'Stopped.',
  cut: 'The connection broke before the answer was complete.',
  page: 'Something went wrong on this page.',
} as const;

/** Why a message was not delivered, for the customer; never the server's own words about itself. */
export function reasonFor(error: unknown): string {
  if (!(error instanceof ApiError)) return REASON.page;
  if (error.code === 'INVALID_TOKEN') {
    return 'Not sent: this browser refused the cookie that a conversation needs.';
  }
  switch (error.status) {
    case 0:
      return 'No answer: the connection failed.';
    case 400:
    case 413:
    case 422:
      return `Not accepted${error.detail === '' ? '.' : `: ${error.detail}`}`;
    case 403:
      return 'Not sent: this page may not use this conversation. Reload it and try again.';
    case 409:
      return 'Not answered: the conversation was busy with something else.';
    case 429:
      return 'Not sent: too many messages at once. Wait a moment first.';
    default:
      return 'Not answered: something went wrong on our side.';
  }
}

const encoder = new TextEncoder();
const number = new Intl.NumberFormat('en');

/** Empty while a message is well under the limit; `tooLong` when it cannot be sent. */
export function lengthHint(text: string): { hint: string; tooLong: boolean } {
  // A UTF-16 unit is at most three bytes of UTF-8: short texts need no count.
  const bytes = text.length * 3 < MAX_MESSAGE_BYTES ? 0 : encoder.encode(text.trim()).length;
  const size = `${number.format(bytes)} of ${number.format(MAX_MESSAGE_BYTES)} bytes`;
  if (bytes > MAX_MESSAGE_BYTES) {
    return { hint: `This message is too long: ${size}. Please shorten it.`, tooLong: true };
  }
  return { hint: bytes > MAX_MESSAGE_BYTES * 0.9 ? `${size} used.` : '', tooLong: false };
}
