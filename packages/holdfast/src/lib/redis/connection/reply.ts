import type { RedisReply } from './redis-connection.ts';

export type ReplyList = readonly RedisReply[];

/** Our own scripts reply with lists; anything else is a defect, or another's script. */
export function list(reply: RedisReply): ReplyList {
  if (Array.isArray(reply)) return reply;
  throw new TypeError('Redis replied with something that is no list.');
}

export function text(reply: RedisReply | undefined): string {
  if (Buffer.isBuffer(reply)) return reply.toString();
  return reply === null || reply === undefined ? '' : String(reply);
}

export function bytes(reply: RedisReply | undefined): Buffer {
  if (Buffer.isBuffer(reply)) return reply;
  throw new TypeError('Redis replied with something that is no string.');
}

export function bytesOrNull(reply: RedisReply | undefined): Buffer | null {
  return Buffer.isBuffer(reply) ? reply : null;
}

export function int(reply: RedisReply | undefined): number {
  return typeof reply === 'number' ? reply : Number(text(reply));
}
