import { describe, expect, it, vi } from 'vitest';
import { operator, startTestApp } from '../../testing/test-app.ts';

const allWell = { healthy: true, operations: { set: true, get: true, delete: true } };
const allDown = { healthy: false, operations: { set: false, get: false, delete: false } };

describe('health', () => {
  it('tells anybody that the store works, and operators its figures', async () => {
    const { request } = await startTestApp();
    const response = await request('GET', '/health');
    expect([response.statusCode, response.json()]).toEqual([200, allWell]);
    expect(response.headers['cache-control']).toBe('no-store');
    const full = await request('GET', '/health', { headers: operator });
    expect(full.json()).toEqual({
      ...allWell,
      stats: expect.objectContaining({ store_type: 'in_memory', active_sessions: 0 }),
    });
  });

  it('is ready while the store works, and lives on when it does not', async () => {
    const { request, faults } = await startTestApp();
    faults.fail('healthCheck', { error: new TypeError('the probe broke') });
    const ready = await request('GET', '/health/ready');
    expect([ready.statusCode, ready.json()]).toEqual([503, { ready: false }]);
    const live = await request('GET', '/health/live');
    expect([live.statusCode, live.json()]).toEqual([200, { live: true }]);
    const health = await request('GET', '/health', { headers: operator });
    expect([health.statusCode, health.json()]).toEqual([503, allDown]);
  });

  it('probes the store at most once a second', async () => {
    const { request, faults, clock } = await startTestApp();
    faults.fail('healthCheck');
    const status = async () => (await request('GET', '/health')).statusCode;
    expect(await Promise.all([status(), status(), status()])).toEqual([503, 503, 503]);
    await clock.advance(999);
    expect(await status()).toBe(503);
    await clock.advance(1);
    expect(await status()).toBe(200);
  });

  it('waits for a slow store for a second, and asks it nothing more meanwhile', async () => {
    const { request, sessions, clock } = await startTestApp();
    const { store } = sessions;
    const healthCheck = store.healthCheck.bind(store);
    let probes = 0;
    store.healthCheck = async (...args) => {
      probes += 1;
      await new Promise<void>((resolve) => clock.setTimer(5_000, resolve));
      return healthCheck(...args);
    };
    const asked = async () => {
      const { timers } = clock;
      const response = request('GET', '/health').then(({ statusCode }) => statusCode);
      await vi.waitFor(() => expect(clock.timers).toBeGreaterThan(timers));
      await clock.advance(1_000);
      return response;
    };
    expect([await asked(), await asked(), probes]).toEqual([503, 503, 1]);
    await clock.advance(3_000);
    expect([(await request('GET', '/health')).statusCode, probes]).toEqual([200, 1]);
  });
});
