import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import {
  FingerprintMismatchError,
  LockTimeoutError,
  StoreUnavailableError,
  TurnTimeoutError,
  ValidationError,
} from '../errors/errors.ts';
import type { ClientInfo } from '../manager/client-binding.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { createSessionManager } from './create-session-manager.ts';
import { createSessionStore } from './create-session-store.ts';
import { loadConfig } from './load-config.ts';

const config = (env: Record<string, string> = {}) => loadConfig({ env, envFile: '/dev/null' });

describe('createSessionStore', () => {
  it('makes a store with the limits of the configuration', async () => {
    const clock = new FakeClock();
    const store = await createSessionStore(
      config({
        SESSION_MAX_SESSIONS: '2',
        SESSION_MAX_MESSAGES: '1',
        SESSION_TIMEOUT_MINUTES: '5',
        SESSION_MAX_PER_USER: '1',
      }),
      { clock },
    );
    onTestFinished(() => store.close());
    const { expiresAt } = await store.create('a', { userId: 'ada' });
    expect(expiresAt - clock.now()).toBe(5 * 60_000);
    await store.appendMessages('a', [
      { role: 'user', content: 'one' },
      { role: 'user', content: 'two' },
    ]);
    expect((await store.messages('a')).map(({ content }) => content)).toEqual(['two']);
    await store.create('b', { userId: 'ada' });
    expect(await store.get('a')).toBeNull();
    expect((await store.getStats()).maxSessions).toBe(2);
  });

  it('ends sessions absolutely', async () => {
    const clock = new FakeClock();
    const store = await createSessionStore(config({ SESSION_ABSOLUTE_TIMEOUT_MINUTES: '1' }), {
      clock,
    });
    onTestFinished(() => store.close());
    await store.create('a');
    await clock.advance(59_999);
    expect(await store.touch('a')).toBe(true);
    await clock.advance(1);
    expect(await store.get('a')).toBeNull();
  });

  it('checks metadata with the schema that it is given', async () => {
    const metadata = z.object({ plan: z.enum(['free', 'pro']).default('free') });
    const store = await createSessionStore(config(), { metadata });
    onTestFinished(() => store.close());
    expect((await store.create('a')).metadata.plan).toBe('free');
    const wrong = { plan: 'gold' } as unknown as { plan: 'pro' };
    await expect(store.update('a', { metadata: wrong })).rejects.toThrow(ValidationError);
  });

  it('tells the warnings of the configuration', async () => {
    const told: [object, string][] = [];
    const logger = {
      debug() {},
      info() {},
      error() {},
      warn: (details: object, message: string) => told.push([details, message]),
    };
    const warnings = [{ setting: 'API_PORT', message: 'Maybe another one' }];
    const store = await createSessionStore({ ...config(), warnings }, { logger });
    await store.close();
    expect(told).toEqual([[{ setting: 'API_PORT' }, 'Maybe another one']]);
  });

  it('does not start on a Redis that is not there', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    const env = {
      SESSION_STORE_TYPE: 'redis',
      REDIS_URL: `redis://127.0.0.1:${port}/2`,
      REDIS_PASSWORD: 'hunter2',
    };
    const failure = await createSessionStore(config(env)).catch((error: Error) => error);
    expect(failure).toBeInstanceOf(StoreUnavailableError);
    expect(inspect(failure, { depth: 9 })).toContain(`redis://127.0.0.1:${port}/2 refused`);
    expect(inspect(failure, { depth: 9 })).not.toContain('hunter2');
  });

  it('warns when locking is off, and only then', async () => {
    const warnings: object[] = [];
    const logger = {
      debug() {},
      info() {},
      error() {},
      warn: (details: object) => warnings.push(details),
    };
    const locked = await createSessionStore(config(), { logger });
    expect([locked.locking, warnings.length]).toEqual([true, 0]);
    const unlocked = await createSessionStore(config({ SESSION_LOCKING_ENABLED: 'false' }), {
      logger,
    });
    expect([unlocked.locking, warnings]).toEqual([false, [{ setting: 'SESSION_LOCKING_ENABLED' }]]);
    await Promise.all([locked.close(), unlocked.close()]);
  });
});

describe('createSessionManager', () => {
  it('makes turns that wait and run as long as the configuration says', async () => {
    const clock = new FakeClock();
    const sessions = await createSessionManager(
      config({ SESSION_LOCK_WAIT_SECONDS: '2', SESSION_TURN_MAX_SECONDS: '10' }),
      { clock },
    );
    onTestFinished(() => sessions.close());
    await sessions.getOrCreate({ sessionId: 'a' });
    const first = sessions.turn('a', () => new Promise(() => {}));
    const second = sessions.turn('a', () => 'late');
    const outcomes = Promise.allSettled([first, second]);
    await clock.advance(10_000);
    const [stopped, gaveUp] = await outcomes;
    expect(stopped).toMatchObject({ reason: expect.any(TurnTimeoutError) });
    expect(gaveUp).toMatchObject({ reason: expect.any(LockTimeoutError) });
  });

  it('takes leases of the length that the configuration says', async () => {
    const clock = new FakeClock();
    const sessions = await createSessionManager(config({ SESSION_LOCK_TIMEOUT_SECONDS: '9' }), {
      clock,
    });
    onTestFinished(() => sessions.close());
    const begun = clock.now();
    const renewals: number[] = [];
    const { store } = sessions;
    const renew = store.renew.bind(store);
    store.renew = async (lease, leaseMs) => {
      renewals.push(clock.now() - begun, leaseMs);
      return renew(lease, leaseMs);
    };
    await sessions.getOrCreate({ sessionId: 'a' });
    const turn = sessions.turn(
      'a',
      () => new Promise((resolve) => clock.setTimer(4_000, () => resolve('done'))),
    );
    await clock.advance(4_000);
    expect(await turn).toBe('done');
    expect(renewals).toEqual([3_000, 9_000]);
  });

  const chrome = { ipAddress: '192.0.2.1', userAgent: 'Mozilla/5.0 (X11; Linux) Chrome/140' };
  const curl = { ipAddress: '192.0.2.1', userAgent: 'curl/8.5.0' };

  it.each([
    ['reports', {}, ['browser', 'os', 'device']],
    ['reports what is bound', { SESSION_FINGERPRINT_BIND: 'ip' }, []],
    ['refuses', { SESSION_FINGERPRINT_STRICT: 'true' }, null],
    ['does not look at', { SESSION_FINGERPRINTING_ENABLED: 'false' }, []],
  ])('%s a client that differs, as the settings %j say', async (_, env, differing) => {
    const sessions = await createSessionManager(config(env));
    onTestFinished(() => sessions.close());
    const { session } = await sessions.create({ client: chrome });
    const turn = (client: ClientInfo) =>
      sessions.turn(session.id, { client }, ({ clientChanges }) => clientChanges);
    expect(await turn({ ...chrome, userAgent: chrome.userAgent.replace('140', '141') })).toEqual(
      [],
    );
    if (differing !== null) expect(await turn(curl)).toEqual(differing);
    else await expect(turn(curl)).rejects.toThrow(FingerprintMismatchError);
  });

  it('binds clients as it is told', async () => {
    const sessions = await createSessionManager(config(), {
      clientBinding: {
        capture: ({ userAgent }) => userAgent ?? null,
        differences: (bound, { userAgent }) => (bound === userAgent ? [] : ['user_agent']),
      },
      strictClientBinding: true,
    });
    onTestFinished(() => sessions.close());
    const { token } = await sessions.create({ client: { userAgent: 'one' } });
    await expect(sessions.authenticate(token, { userAgent: 'one' })).resolves.toBeDefined();
    await expect(sessions.authenticate(token, { userAgent: 'two' })).rejects.toMatchObject({
      code: 'FINGERPRINT_MISMATCH',
    });
  });
});
