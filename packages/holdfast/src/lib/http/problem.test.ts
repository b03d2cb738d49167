import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  DecryptionError,
  FingerprintMismatchError,
  InvalidTokenError,
  LockTimeoutError,
  OutcomeUnknownError,
  StoreUnavailableError,
  ValidationError,
} from '../errors/errors.ts';
import { toProblem } from './problem.ts';

describe('toProblem', () => {
  it('tells of an error what its caller needs (RFC 9457)', () => {
    expect(toProblem(new ValidationError('metadata.a is NaN.'))).toEqual({
      type: 'urn:holdfast:error:VALIDATION',
      title: 'The input is not valid',
      status: 400,
      detail: 'metadata.a is NaN. Correct the value that the message names.',
      code: 'VALIDATION',
    });
    expect(toProblem(new LockTimeoutError('Too long.'))).toMatchObject({
      status: 503,
      code: 'LOCK_TIMEOUT',
    });
  });

  it.each([
    new ConfigError('REDIS_PASSWORD is hunter2.', { cause: new Error('hunter2') }),
    new DecryptionError('Key hunter2 is not in the ring.'),
  ])('keeps what failed inside to itself: $name', (error) => {
    const problem = toProblem(error);
    expect(problem.status).toBe(500);
    expect(problem.code).toBe(error.code);
    expect(JSON.stringify(problem)).not.toMatch(/hunter2|ring|REDIS/);
  });

  it.each([
    ['an error', new Error('connect ECONNREFUSED 10.0.0.1:6379')],
    ['an error that looks like one of ours', Object.assign(new Error('10.0.0.1'), { status: 404 })],
    ['a thrown string', '10.0.0.1'],
    ['nothing', undefined],
    ['null', null],
  ])('says nothing of %s', (_, error) => {
    expect(toProblem(error)).toEqual({
      type: 'about:blank',
      title: 'Internal server error',
      status: 500,
      detail: 'Something went wrong here. Try again later.',
      code: 'INTERNAL',
    });
  });

  it.each([
    [503, new StoreUnavailableError('Redis at redis://10.0.0.1:6379/0 refused it.')],
    [503, new OutcomeUnknownError('No replica of redis://10.0.0.1:6379/0 has it.', { nonce: 'n' })],
    [403, new FingerprintMismatchError('Mismatch for s-1: browser, os changed.')],
    [401, new InvalidTokenError('The token of s-1 was revoked.')],
  ])('says neither where the store is nor what would get in, with %i: %s', (status, error) => {
    const problem = toProblem(error);
    expect(problem).toMatchObject({ status, code: error.code });
    expect(problem.detail).toMatch(/^[A-Z].*\.$/);
    expect(JSON.stringify(problem)).not.toMatch(/10\.0\.0\.1|REDIS|s-1|browser|revoked/);
  });

  it('holds neither the cause nor the nonce of an error', () => {
    const cause = new Error('read ECONNRESET 10.0.0.1');
    const problem = toProblem(new OutcomeUnknownError('No reply.', { nonce: 'n-1', cause }));
    expect(problem).toMatchObject({ status: 503, code: 'OUTCOME_UNKNOWN' });
    expect(JSON.stringify(problem)).not.toMatch(/ECONNRESET|n-1/);
  });
});
