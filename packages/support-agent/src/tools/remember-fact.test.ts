import { describe, expect, it } from 'vitest';
import { createToolBench } from '../testing/tool-bench.ts';
import { rememberFact } from './remember-fact.ts';
import { readSupport } from './support-record.ts';

async function remembered(...facts: readonly (readonly [string, string])[]) {
  const { run, session } = await createToolBench();
  for (const [kind, value] of facts) await run(rememberFact, { kind, value });
  return (await session())?.metadata;
}

describe('remember_fact', () => {
  it('keeps each kind of fact in the session’s metadata, in one form', async () => {
    expect(
      await remembered(
        ['email', ' Kim@Example.com'],
        ['phone', '+44 (0)131 496-0142'],
        ['order_number', 'ff-20418837'],
        ['ticket_number', 'T-0ABCDEFG'],
      ),
    ).toEqual({
      support: {
        facts: {
          email: 'kim@example.com',
          phone: '+441314960142',
          order_numbers: ['FF-20418837'],
          ticket_numbers: ['T-0ABCDEFG'],
        },
      },
    });
  });

  it('says what it remembers, and whether it is new', async () => {
    const { run } = await createToolBench();
    const fact = { kind: 'phone', value: '0044 131 4960142' };
    const result = { remembered: { kind: 'phone', value: '+441314960142' } };
    expect(await run(rememberFact, fact)).toEqual({ ...result, is_new: true });
    expect(await run(rememberFact, fact)).toEqual({ ...result, is_new: false });
  });

  it('keeps the newest email address, and every order number once', async () => {
    const metadata = await remembered(
      ['email', 'old@example.com'],
      ['order_number', 'FF-11111111'],
      ['email', 'new@example.com'],
      ['order_number', 'FF-22222222'],
      ['order_number', 'ff-11111111'],
    );
    expect(readSupport(metadata ?? {}).facts).toMatchObject({
      email: 'new@example.com',
      orderNumbers: ['FF-11111111', 'FF-22222222'],
    });
  });

  it('keeps the ten newest numbers', async () => {
    const numbers = Array.from({ length: 12 }, (_, index) => `FF-${10_000_000 + index}`);
    const metadata = await remembered(
      ...numbers.map((number) => ['order_number', number] as const),
    );
    expect(readSupport(metadata ?? {}).facts.orderNumbers).toEqual(numbers.slice(2));
  });

  it('leaves everything else in the metadata alone', async () => {
    const metadata = { plan: 'pro', support: { theme: 'dark', facts: { nickname: 'K' } } };
    const { run, session } = await createToolBench({ metadata });
    await run(rememberFact, { kind: 'email', value: 'kim@example.com' });
    expect((await session())?.metadata).toEqual({
      plan: 'pro',
      support: { theme: 'dark', facts: { nickname: 'K', email: 'kim@example.com' } },
    });
  });

  it('takes the place of what a customer has put there instead', async () => {
    const { run, session } = await createToolBench({ metadata: { support: 'mine' } });
    await run(rememberFact, { kind: 'email', value: 'kim@example.com' });
    expect((await session())?.metadata).toEqual({
      support: { facts: { email: 'kim@example.com' } },
    });
  });

  it.each([
    ['an unknown kind', { kind: 'password', value: 'secret' }],
    ['no email address', { kind: 'email', value: 'kim at example' }],
    ['no phone number', { kind: 'phone', value: 'call me' }],
    ['a phone number without end', { kind: 'phone', value: '1'.repeat(16) }],
    ['an order number of 41 characters', { kind: 'order_number', value: 'F'.repeat(41) }],
    ['markup', { kind: 'ticket_number', value: '<b>1</b>' }],
    ['an empty value', { kind: 'order_number', value: ' ' }],
    ['no value', { kind: 'email' }],
  ])('refuses %s, and changes nothing', async (_, input) => {
    const { run, session } = await createToolBench();
    expect(await run(rememberFact, input)).toEqual({ error: expect.any(String) });
    expect((await session())?.metadata).toEqual({});
  });
});
