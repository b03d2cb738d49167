import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { RedisAddress } from '../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';

describe('RedisAddress', () => {
  it.each([
    ['redis://localhost', 'localhost', 6379, 0, 'redis://localhost:6379/0'],
    ['redis://localhost/', 'localhost', 6379, 0, 'redis://localhost:6379/0'],
    ['redis://10.0.0.1:7000/3', '10.0.0.1', 7000, 3, 'redis://10.0.0.1:7000/3'],
    ['rediss://cache.example:6380/15', 'cache.example', 6380, 15, 'rediss://cache.example:6380/15'],
    ['redis://[::1]:6379/1', '::1', 6379, 1, 'redis://[::1]:6379/1'],
    ['redis://u:p@[2001:db8::5]', '2001:db8::5', 6379, 0, 'redis://[2001:db8::5]:6379/0'],
  ])('reads %s', (url, host, port, database, display) => {
    expect(new RedisAddress({ url })).toMatchObject({ host, port, database, display });
  });

  it('takes user and password from the URL, decoded, and else from the options', () => {
    const both = new RedisAddress({ url: 'redis://me:p%40ss%2F@h', username: 'x', password: 'y' });
    expect([both.username, both.password]).toEqual(['me', 'p@ss/']);
    const passwordOnly = new RedisAddress({ url: 'redis://:secret@h' });
    expect([passwordOnly.username, passwordOnly.password]).toEqual([undefined, 'secret']);
    const given = new RedisAddress({ url: 'redis://me@h', password: 'y' });
    expect([given.username, given.password]).toEqual(['me', 'y']);
    const none = new RedisAddress({ url: 'redis://h', username: '', password: '' });
    expect([none.username, none.password]).toEqual([undefined, undefined]);
  });

  it('has TLS options for rediss:// only', () => {
    expect(new RedisAddress({ url: 'redis://h' }).tls).toBeUndefined();
    expect(new RedisAddress({ url: 'rediss://h' }).tls).toEqual({});
    const tls = { servername: 'other', rejectUnauthorized: false };
    expect(new RedisAddress({ url: 'rediss://h', tls }).tls).toEqual(tls);
    expect(() => new RedisAddress({ url: 'redis://h', tls })).toThrow(/not rediss:\/\//);
  });

  it('shows no secret when it is logged', () => {
    const address = new RedisAddress({
      url: 'rediss://user:hunter2@h',
      tls: { key: 'private-key' },
    });
    for (const text of [inspect(address, { showHidden: true }), JSON.stringify({ address })]) {
      expect(text).not.toMatch(/hunter2|private-key/);
      expect(text).toContain('rediss://h:6379/0');
    }
  });

  it.each([
    ['', /must be redis:\/\//],
    ['localhost:6379', /must be redis:\/\//],
    ['http://hunter2@localhost', /must be redis:\/\//],
    ['redis:localhost', /must be redis:\/\//],
    ['redis://', /malformed/],
    ['redis://:hunter2@', /malformed/],
    ['redis://:hunter2@h:65536', /malformed/],
    ['redis://:hunter2@h:0', /port 0/],
    ['redis://:hunter2@h:port', /malformed/],
    ['redis://:hunter2#x@h', /malformed|percent-enc/],
    ['redis://:hunter2@h/one', /malformed database/],
    ['redis://:hunter2@h/-1', /malformed database/],
    ['redis://:hunter2@h/0/1', /malformed database/],
    ['redis://:hunter2@h/0?x=1', /\? or # part/],
    ['redis://:hunter2@h/0#1', /\? or # part/],
    ['redis://:hunter2%@h', /%25/],
    ['redis://user@h', /REDIS_PASSWORD/],
    ['unix:///run/redis.sock', /Unix socket/],
    ['redis+unix:///run/redis.sock', /Unix socket/],
    ['/run/redis.sock', /Unix socket/],
  ])('refuses %s', (url, message) => {
    let error: unknown;
    try {
      new RedisAddress({ url });
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ message: expect.stringMatching(message) });
    expect(inspect(error)).not.toContain('hunter2');
  });
});
