import { describe, expect, it } from 'vitest';
import { OutcomeUnknownError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { ConnectionLostError } from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { echo, openedLink, rejection } from './fixtures.ts';
import { stubbed } from './stub-connection.ts';

const nowhere = 'redis://nowhere';

describe('RedisLink.call over a stub', () => {
  it('does not count attempts that never left', async () => {
    let asked = 0;
    const connect = stubbed(async () => {
      asked += 1;
      if (asked < 10) throw new ConnectionLostError('Closed.', { sent: false });
      return asked;
    });
    const { link } = await openedLink(nowhere, { connect, retries: 0 });
    const report = { repeated: false };
    expect(await link.call(echo, [], [], 'nonce', report)).toBe(10);
    expect(report.repeated).toBe(false);
  });

  it('ends in its time even when a connection settles nothing', async () => {
    let asked = 0;
    const connect = stubbed(() => {
      asked += 1;
      if (asked > 1) return new Promise(() => {});
      return Promise.reject(new ConnectionLostError('Lost.', { sent: true }));
    });
    const { link } = await openedLink(nowhere, { connect, timeoutMs: 500, retries: 1 });
    const error = await rejection(link.call(echo, [], [], 'nonce'));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(asked).toBe(2);
  });
});
