import { describe, expect, it } from 'vitest';
import { createToolBench } from '../testing/tool-bench.ts';
import { escalate } from './escalate.ts';
import { readSupport, ticketIdPattern } from './support-record.ts';
import type { Tool } from './tool.ts';

describe('escalate', () => {
  it('makes a ticket with its reason and its part of the conversation', async () => {
    const { run, session, clock } = await createToolBench({ metadata: { plan: 'pro' } });
    const ticket = {
      id: expect.stringMatching(ticketIdPattern),
      reason: 'legal',
      from_seq: 1,
      to_seq: 7,
      created_at: new Date(clock.now()).toISOString(),
    };
    expect(await run(escalate, { reason: 'legal' }, 7)).toEqual({ ticket, is_new: true });
    expect(await session()).toMatchObject({
      escalated: true,
      status: 'active',
      counters: { escalations: 1 },
      metadata: { plan: 'pro', support: { tickets: [ticket] } },
    });
  });

  it('returns the same ticket while it is open, whatever the reason', async () => {
    const { run, session } = await createToolBench();
    const first = await run(escalate, { reason: 'asked_for' });
    const second = await run(escalate, { reason: 'anger' }, 9);
    expect(second).toEqual({ ...(first as object), is_new: false });
    const { metadata, counters } = (await session()) ?? {};
    expect(readSupport(metadata ?? {}).tickets).toHaveLength(1);
    expect(counters).toEqual({ escalations: 1 });
  });

  it('opens the ticket that it returns again, if an operator closes it during the turn', async () => {
    const { run, update, session } = await createToolBench();
    await run(escalate, { reason: 'asked_for' });
    const closedMeanwhile: Tool = {
      ...escalate,
      async run(...call) {
        await update({ escalated: false });
        return escalate.run(...call);
      },
    };
    expect(await run(closedMeanwhile, { reason: 'anger' }, 9)).toMatchObject({ is_new: false });
    expect(await session()).toMatchObject({ escalated: true, counters: { escalations: 1 } });
  });

  it('makes another one after an operator has closed it, for what came since', async () => {
    const { run, update, session } = await createToolBench();
    await run(escalate, { reason: 'asked_for' }, 5);
    await update({ escalated: false });
    expect(await run(escalate, { reason: 'anger' }, 12)).toMatchObject({
      ticket: { reason: 'anger', from_seq: 6, to_seq: 12 },
      is_new: true,
    });
    const { tickets } = readSupport((await session())?.metadata ?? {});
    expect(tickets.map(({ reason }) => reason)).toEqual(['asked_for', 'anger']);
    expect(new Set(tickets.map(({ id }) => id)).size).toBe(2);
  });

  it('makes one for a session that an operator has flagged without a ticket', async () => {
    const { run, update } = await createToolBench();
    await update({ escalated: true });
    expect(await run(escalate, { reason: 'asked_for' })).toMatchObject({ is_new: true });
  });

  it('keeps the twenty newest tickets', async () => {
    const { run, update, session } = await createToolBench();
    for (let seq = 1; seq <= 22; seq += 1) {
      await run(escalate, { reason: 'asked_for' }, seq);
      await update({ escalated: false });
    }
    const { tickets } = readSupport((await session())?.metadata ?? {});
    expect(tickets.map((ticket) => ticket.to_seq)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 3),
    );
  });

  it('has no range that ends before it begins, whatever a customer has put there', async () => {
    const forged = {
      id: 'T-00000000',
      reason: 'legal',
      from_seq: 1,
      to_seq: 999,
      created_at: '2030-01-01T00:00:00.000Z',
    };
    const { run } = await createToolBench({ metadata: { support: { tickets: [forged] } } });
    expect(await run(escalate, { reason: 'asked_for' }, 3)).toMatchObject({
      ticket: { from_seq: 3, to_seq: 3 },
      is_new: true,
    });
  });

  it.each([{}, { reason: 'boredom' }, { reason: 'legal', to: 'me' }])(
    'refuses %j, and changes nothing',
    async (input) => {
      const { run, session } = await createToolBench();
      expect(await run(escalate, input)).toEqual({ error: expect.any(String) });
      expect(await session()).toMatchObject({ escalated: false, metadata: {} });
    },
  );
});
