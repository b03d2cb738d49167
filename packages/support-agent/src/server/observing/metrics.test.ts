import { describe, expect, it } from 'vitest';
import { GatedModel } from '../../testing/gated-model.ts';
import { operator, startTestApp } from '../../testing/test-app.ts';

/** The value of each series that begins with `holdfast_`. */
function seriesOf(body: string): Record<string, number> {
  const lines = body.split('\n').filter((line) => line.startsWith('holdfast_'));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

async function startScraped() {
  const model = new GatedModel();
  const test = await startTestApp({ model });
  const scrape = () => test.request('GET', '/metrics', { headers: operator });
  return { ...test, model, scrape };
}

const count = 'holdfast_http_request_duration_seconds_count';

describe('metrics', () => {
  it('tell of the process and of the store', async () => {
    const { scrape, open, say, model } = await startScraped();
    const reply = say(await open(), 'Hi');
    const question = await model.nextQuestion();
    const response = await scrape();
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(response.body).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(response.body).toMatch(/^nodejs_eventloop_lag_seconds /m);
    expect(seriesOf(response.body)).toMatchObject({
      holdfast_store_up: 1,
      holdfast_active_sessions: 1,
      holdfast_active_leases: 1,
      holdfast_waiters: 0,
      holdfast_open_streams: 0,
    });
    question.answer('Hi!');
    await reply;
    expect(seriesOf((await scrape()).body)).toMatchObject({ holdfast_active_leases: 0 });
  });

  it('do without the store’s figures while it does not tell them', async () => {
    const { scrape, open, faults, sessions } = await startScraped();
    await open();
    await scrape();
    faults.fail('getStats');
    const body = seriesOf((await scrape()).body);
    expect(body.holdfast_store_up).toBe(0);
    expect(body).not.toHaveProperty('holdfast_active_sessions');
    await sessions.store.getStats();
    expect(seriesOf((await scrape()).body)).toMatchObject({
      holdfast_store_up: 1,
      holdfast_active_sessions: 1,
    });
  });

  it('time requests by route; what clients make up is one series', async () => {
    const { scrape, open, request } = await startScraped();
    const { url, auth } = await open();
    for (const address of [url, url, '/api/made-up-1', '/api/made-up-2']) {
      await request('GET', address, { headers: auth });
    }
    const series = seriesOf((await scrape()).body);
    expect(series[`${count}{method="GET",route="/api/sessions/:id",status="200"}`]).toBe(2);
    expect(series[`${count}{method="GET",route="none",status="404"}`]).toBe(2);
    expect(Object.keys(series).join('\n')).not.toContain('made-up');
  });

  it('count turns by how they ended, and time them, the model and the tools', async () => {
    const test = await startTestApp();
    const session = await test.open();
    const key = { 'idempotency-key': 'once' };
    for (const _ of [1, 2]) await test.say(session, 'How long does a refund take?', key);
    await test.sessions.revoke(session.id);
    await test.say(session, 'Hello?');
    const series = seriesOf((await test.request('GET', '/metrics', { headers: operator })).body);
    expect(series).toMatchObject({
      'holdfast_turns_total{outcome="committed",code=""}': 1,
      'holdfast_turns_total{outcome="replayed",code=""}': 1,
      'holdfast_turns_total{outcome="refused",code="INVALID_TOKEN"}': 1,
      holdfast_turn_wait_seconds_count: 1,
      holdfast_turn_work_seconds_count: 1,
      holdfast_turn_commit_seconds_count: 1,
      holdfast_commits_total: 2,
      'holdfast_model_call_duration_seconds_count{model="local",failed="false"}': 2,
      'holdfast_tool_call_duration_seconds_count{tool="search_knowledge",failed="false"}': 1,
      holdfast_sessions_created_total: 1,
      'holdfast_session_ends_total{reason="deleted"}': 1,
      'holdfast_session_ends_total{reason="expired"}': 0,
    });
    // In memory there is no server to tell of.
    expect(series).not.toHaveProperty('holdfast_redis_memory_bytes');
  });

  it('are for operators, and for whoever has the token for them and may do nothing else', async () => {
    const token = 'a-token-for-scrapes';
    const { request } = await startTestApp({ env: { METRICS_TOKEN: token } });
    const status = async (url: string, authorization: string) =>
      (await request('GET', url, { headers: { authorization } })).statusCode;
    expect(await status('/metrics', `Bearer ${token}`)).toBe(200);
    expect(await status('/metrics', operator.authorization)).toBe(200);
    expect(await status('/metrics', `Bearer ${token}x`)).toBe(403);
    expect(await status('/api/stats', `Bearer ${token}`)).toBe(403);
    expect(await status('/api/sessions', `Bearer ${token}`)).toBe(403);
    const cookie = await request('GET', '/metrics', { headers: { cookie: `holdfast=${token}` } });
    expect(cookie.statusCode).toBe(403);
  });

  it('of two servers in one process are kept apart', async () => {
    const first = await startScraped();
    const second = await startScraped();
    await first.open();
    const series = seriesOf((await second.scrape()).body);
    expect(series.holdfast_active_sessions).toBe(0);
    expect(Object.keys(series).filter((name) => name.startsWith(count))).toEqual([]);
  });
});
