import { describe, expect, it } from 'vitest';
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
});
