import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
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
      await clock.advance(800);
      return response;
    };
    expect([await asked(), await asked(), probes]).toEqual([503, 503, 1]);
    await clock.advance(3_400);
    expect([(await request('GET', '/health')).statusCode, probes]).toEqual([200, 1]);
  });

  it('tells operators no figures that the store does not tell in time', async () => {
    const { request, sessions, clock } = await startTestApp();
    sessions.store.getStats = () => new Promise(() => {});
    const { timers } = clock;
    const response = request('GET', '/health', { headers: operator });
    await vi.waitFor(() => expect(clock.timers).toBeGreaterThan(timers));
    await clock.advance(800);
    expect((await response).json()).toEqual(allWell);
  });

  it('is not ready once the server is about to close', async () => {
    const { app, listen } = await startTestApp();
    const { hostname, port } = new URL(await listen());
    // A request that has begun to arrive keeps its connection open.
    const socket = connect(Number(port), hostname);
    const [accepted] = await once(app.server, 'connection');
    socket.write('GET /health/ready HTTP/1.1\r\n');
    await expect.poll(() => accepted.bytesRead).toBeGreaterThan(0);
    const closed = app.close();
    await expect.poll(() => app.server.listening).toBe(false);
    socket.end('host: localhost\r\n\r\n');
    const answer = await text(socket);
    await closed;
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).toContain('{"ready":false}');
  });
});
