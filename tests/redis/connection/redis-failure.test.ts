import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  OutcomeUnknownError,
  StoreUnavailableError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { RedisAddress } from '../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import {
  ConnectionLostError,
  RedisReplyError,
  RedisTimeoutError,
} from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import {
  describeFailure,
  isPassing,
  outcomeUnknown,
  runningFailure,
  startFailure,
  surelyNotExecuted,
} from '../../../packages/holdfast/src/lib/redis/connection/redis-failure.ts';
import { defineScript } from '../../../packages/holdfast/src/lib/redis/connection/script.ts';
import { RawClient } from '../../servers/raw-client.ts';
import { connected, openedLink, rejection, startedRedis } from './fixtures.ts';

const address = new RedisAddress({ url: 'redis://me:hunter2@h/1' });
const coded = (code: string) => Object.assign(new Error(code), { code });

const replies = [
  ['WRONGPASS invalid username-password pair or user is disabled.', 'Wrong password'],
  ['ERR AUTH <password> called without any password configured', 'Wrong password'],
  ['NOAUTH Authentication required.', 'Password required'],
  ["NOPERM User app has no permissions to run the 'get' command", 'Permission denied'],
  ['LOADING Redis is loading the dataset in memory', 'Loading its data'],
  ["READONLY You can't write against a read only replica.", 'Read-only replica'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'Out of memory'],
  ['BUSY Redis is busy running a script.', 'Busy with a script'],
  ['MASTERDOWN Link with MASTER is down', 'Primary is down'],
  ['CLUSTERDOWN The cluster is down', 'Cluster is down'],
  ['MISCONF Redis is configured to save RDB snapshots', 'Cannot save to disk'],
  ['NOREPLICAS Not enough good replicas to write.', 'Too few replicas'],
  ['ERR max number of clients reached', 'Too many connections'],
  ['ERR max number of clients + cluster connections reached', 'Too many connections'],
  ['ERR DB index is out of range', 'No such database'],
  ['NOPROTO unsupported protocol version', 'Version too old'],
  ['NOSCRIPT No matching script.', 'Scripts lost'],
  ['constructor of nothing', 'Error reply'],
  ['ERR something else', 'Error reply'],
] as const;

const codes = [
  ['ECONNREFUSED', 'Connection refused'],
  ['ENOTFOUND', 'Host not found'],
  ['EAI_AGAIN', 'Host not found'],
  ['ETIMEDOUT', 'Timed out'],
  ['ENETUNREACH', 'Host unreachable'],
  ['ECONNRESET', 'Connection closed'],
  ['EPIPE', 'Connection closed'],
  ['CERT_HAS_EXPIRED', 'Certificate expired'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'Certificate refused'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'Certificate refused'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'Certificate refused'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'Certificate refused'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'TLS refused'],
  ['toString', 'Failed'],
] as const;

describe('describeFailure', () => {
  it.each(replies)('of the reply %s is %s', (reply, phrase) => {
    expect(describeFailure(new RedisReplyError(reply))).toBe(phrase);
  });

  it.each(codes)('of %s is %s', (code, phrase) => {
    expect(describeFailure(coded(code))).toBe(phrase);
    const lost = new ConnectionLostError('Lost.', { sent: true, cause: coded(code) });
    expect(describeFailure(lost)).toBe(phrase === 'Failed' ? 'Failed' : phrase);
  });

  it('of others says as much as is known', () => {
    expect(describeFailure(new RedisTimeoutError('Late.'))).toBe('Timed out');
    expect(describeFailure(new ConnectionLostError('Lost.', { sent: true }))).toBe(
      'Connection closed',
    );
    expect(describeFailure(new Error('Unknown RESP type 72 "H"'))).toBe('Not a Redis');
    expect(describeFailure('a string')).toBe('Failed');
  });
});

describe('the errors of a store', () => {
  it('name the address without its password, the call, a remedy and the cause', () => {
    const cause = coded('ECONNREFUSED');
    const error = runningFailure(address, cause, 'commit');
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error.message).toMatch(
      /^Redis at redis:\/\/h:6379\/1 \(commit\) refused the connection\. Start it, or /,
    );
    expect(error.message).not.toContain('hunter2');
    expect(error.cause).toBe(cause);
  });

  it.each([
    ['REDIS_TLS_CA_FILE', coded('SELF_SIGNED_CERT_IN_CHAIN')],
    ['REDIS_TLS_CERT_FILE', coded('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')],
    ['docs/redis.md', new RedisReplyError('NOPERM this user has no permissions')],
  ])('name what helps: %s', (helps, cause) => {
    expect(startFailure(address, cause).message).toContain(helps);
  });

  it('are a matter of configuration only at the start', () => {
    const cause = new RedisReplyError('WRONGPASS invalid');
    expect(startFailure(address, cause)).toBeInstanceOf(ConfigError);
    expect(runningFailure(address, cause)).toBeInstanceOf(StoreUnavailableError);
    expect(startFailure(address, coded('ENOTFOUND'))).toBeInstanceOf(StoreUnavailableError);
    const own = new ConfigError('No redis package.');
    expect(startFailure(address, own)).toBe(own);
  });

  it('carry the nonce where the outcome is unknown', () => {
    const lost = new ConnectionLostError('Lost.', { sent: true });
    const error = outcomeUnknown(address, lost, { about: 'commit', nonce: 'n1' });
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error).toMatchObject({ nonce: 'n1', cause: lost });
  });

  it('know what was surely not executed, and what passes', () => {
    const reply = (code: string) => new RedisReplyError(`${code} words`);
    for (const code of ['LOADING', 'BUSY', 'MASTERDOWN', 'READONLY', 'CLUSTERDOWN']) {
      expect([surelyNotExecuted(reply(code)), isPassing(reply(code))]).toEqual([true, true]);
    }
    for (const code of ['OOM', 'MISCONF', 'NOREPLICAS', 'NOAUTH', 'NOPERM', 'NOSCRIPT']) {
      expect([surelyNotExecuted(reply(code)), isPassing(reply(code))]).toEqual([true, false]);
    }
    for (const code of ['ERR', 'WRONGTYPE', 'UNKILLABLE']) {
      expect([surelyNotExecuted(reply(code)), isPassing(reply(code))]).toEqual([false, false]);
    }
    expect(surelyNotExecuted(new ConnectionLostError('x', { sent: false }))).toBe(true);
    expect(surelyNotExecuted(new ConnectionLostError('x', { sent: true }))).toBe(false);
    expect(surelyNotExecuted(new RedisTimeoutError('x'))).toBe(false);
  });
});

describe('a real server', () => {
  const write = defineScript('write', "return redis.call('SET', KEYS[1], 'x')");
  const spin = defineScript('spin', 'while true do end');

  it('refuses by OOM, NOREPLICAS and READONLY before a script writes', async () => {
    const redis = await startedRedis();
    const { link } = await openedLink(redis.url, { scripts: [write], timeoutMs: 1000 });
    const admin = await connected(redis.url);
    const refusal = async () => {
      const error = await rejection(link.call(write, ['k'], [], 'nonce'));
      expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(surelyNotExecuted(error.cause)).toBe(true);
      expect(await admin.send(['EXISTS', 'k'])).toBe(0);
      return (error.cause as RedisReplyError).code;
    };
    await admin.send(['CONFIG', 'SET', 'maxmemory', '1']);
    expect(await refusal()).toBe('OOM');
    await admin.send(['CONFIG', 'SET', 'maxmemory', '0']);
    await admin.send(['CONFIG', 'SET', 'min-replicas-to-write', '1']);
    expect(await refusal()).toBe('NOREPLICAS');
    await admin.send(['CONFIG', 'SET', 'min-replicas-to-write', '0']);
    await admin.send(['REPLICAOF', '127.0.0.1', '1']);
    expect(await refusal()).toBe('READONLY');
    await admin.send(['REPLICAOF', 'NO', 'ONE']);
    expect(await link.call(write, ['k'], [], 'nonce')).toEqual(Buffer.from('OK'));
  });

  it('is waited for while a script keeps it busy', async () => {
    const redis = await startedRedis({ args: ['--lua-time-limit', '10'] });
    const { link } = await openedLink(redis.url, { scripts: [write] });
    const admin = await connected(redis.url);
    const spinner = await connected(redis.url);
    const spun = rejection(spinner.send(['EVAL', spin.source, '0']));
    const raw = await RawClient.connect(redis.port);
    while (!(await raw.send('PING')).startsWith('-BUSY'));
    const call = link.call(write, ['k'], [], 'nonce');
    await rejection(admin.send(['PING']));
    await admin.send(['SCRIPT', 'KILL']);
    expect(await call).toEqual(Buffer.from('OK'));
    await spun;
  });
});
