import { describe, expect, it } from 'vitest';
import { ApiError } from '../http.ts';
import { uuid } from '../uuid.ts';
import { lengthHint, MAX_MESSAGE_BYTES, reasonFor } from './wording.ts';

describe('lengthHint', () => {
  it('counts bytes of UTF-8, not characters', () => {
    expect(lengthHint('x'.repeat(MAX_MESSAGE_BYTES)).tooLong).toBe(false);
    expect(lengthHint('x'.repeat(MAX_MESSAGE_BYTES + 1)).tooLong).toBe(true);
    expect(lengthHint('é'.repeat(MAX_MESSAGE_BYTES / 2)).tooLong).toBe(false);
    expect(lengthHint('é'.repeat(MAX_MESSAGE_BYTES / 2 + 1)).tooLong).toBe(true);
    expect(lengthHint('😀'.repeat(MAX_MESSAGE_BYTES / 4 + 1)).tooLong).toBe(true);
  });

  it('does not count the blanks around, which are not sent', () => {
    expect(lengthHint(`${'x'.repeat(MAX_MESSAGE_BYTES)}\n\n`).tooLong).toBe(false);
  });

  it('says nothing until the limit is near, then how much is used, then what is wrong', () => {
    expect(lengthHint('Hello').hint).toBe('');
    expect(lengthHint('x'.repeat(15_000)).hint).toBe('15,000 of 16,384 bytes used.');
    expect(lengthHint('x'.repeat(16_385)).hint).toBe(
      'This message is too long: 16,385 of 16,384 bytes. Please shorten it.',
    );
  });
});

describe('reasonFor', () => {
  it("shows the server's words only where they are about the message", () => {
    expect(reasonFor(new ApiError(400, 'The message is empty.'))).toContain(
      'The message is empty.',
    );
    expect(reasonFor(new ApiError(503, 'Redis at 10.0.0.1 is down'))).not.toContain('Redis');
  });
});

describe('uuid', () => {
  it('is a version 4 UUID, another one each time', () => {
    const made = Array.from({ length: 100 }, uuid);
    for (const id of made) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
    expect(new Set(made).size).toBe(100);
  });
});
