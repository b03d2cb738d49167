import assert from 'node:assert/strict';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { ValidationError } from '../../errors/errors.ts';
import type { SessionPatch } from '../../model/session.ts';
import type { SuiteContext } from './suite-context.ts';

/** A Standard Schema, written out: metadata has a plan, `free` unless given. */
const planSchema: StandardSchemaV1<object, { plan: string }> = {
  '~standard': {
    version: 1,
    vendor: 'holdfast-suite',
    validate: (value) => {
      const { plan = 'free', ...rest } = value as { plan?: unknown };
      if (plan === 'free' || plan === 'pro') return { value: { plan, ...rest } };
      return { issues: [{ message: 'must be free or pro', path: ['plan'] }] };
    },
  },
};

/** What is refused, before anything is written. */
export function validationCases(context: SuiteContext): void {
  context.group('validation', () => {
    context.case('ids are 1 to 255 characters of [A-Za-z0-9._:@-]', async () => {
      const { sessions, store } = await context.place();
      const longest = 'x'.repeat(255);
      for (const good of [
        'a',
        'user-123',
        'A.b_c:d@e-f',
        longest,
        '__proto__',
        '*'.replace('*', '-'),
      ]) {
        assert.equal((await store.create(good)).id, good);
        assert.equal(await store.exists(good), true);
      }
      const bad = [
        '',
        ' ',
        'a b',
        'a/b',
        '*',
        'ü',
        'a\n',
        `${longest}x`,
        '{b}',
        null,
        1,
        undefined,
      ];
      for (const id of bad as string[]) {
        const calls: readonly (() => Promise<unknown>)[] = [
          () => store.get(id),
          () => store.create(id),
          () => store.update(id, {}),
          () => store.delete(id),
          () => store.messages(id),
          () => store.incrementCounter(id, 'n'),
          () => sessions.turn(id, async () => 1),
        ];
        for (const call of calls) await assert.rejects(call, ValidationError, String(id));
      }
      await assert.rejects(sessions.getOrCreate({ sessionId: 'a b' }), ValidationError);
      await assert.rejects(sessions.getOrCreate({ userId: 'a b' }), ValidationError);
      await assert.rejects(sessions.getOrCreate({ id: 'a' } as object), ValidationError);
      assert.equal(await store.countActive(), 6);
    });

    context.case(
      'a patch may not name the id, version, counters or times, nor what is unknown',
      async () => {
        const { sessions, store } = await context.place();
        await store.create('s');
        const patches = [
          { id: 'x' },
          { version: 9 },
          { counters: { n: 1 } },
          { messageCount: 1 },
          { createdAt: 1 },
          { updatedAt: 1 },
          { lastActivity: 1 },
          { expiresAt: 1 },
          { nonsense: 1 },
          { status: 'open' },
          { escalated: 'yes' },
          { escalated: null },
          { userId: 5 },
          { metadata: 'x' },
          { metadata: [1] },
          null,
          'x',
        ] as SessionPatch[];
        for (const patch of patches) {
          await assert.rejects(store.update('s', patch), ValidationError, JSON.stringify(patch));
          await assert.rejects(
            sessions.turn('s', async (turn) => turn.update(patch)),
            ValidationError,
          );
        }
        await assert.rejects(
          store.update('s', { escalated: true }, { atomic: false } as object),
          ValidationError,
        );
        assert.equal((await store.get('s'))?.version, 1);
      },
    );

    context.case('metadata is plain JSON without tricks, of at most 1 MB', async () => {
      const { store } = await context.place();
      await store.create('s');
      const cycle: Record<string, unknown> = {};
      cycle.self = cycle;
      const bad: unknown[] = [
        JSON.parse('{"__proto__": {"admin": true}}'),
        JSON.parse('{"a": {"constructor": {"prototype": {"admin": true}}}}'),
        { a: Number.NaN },
        { a: new Date() },
        { a: new Map() },
        { a: () => 1 },
        { a: 10n },
        cycle,
        { a: 'x'.repeat(1024 * 1024) },
      ];
      for (const metadata of bad as object[]) {
        await assert.rejects(store.update('s', { metadata } as SessionPatch), ValidationError);
        await assert.rejects(store.create('t', { metadata } as object), ValidationError);
      }
      assert.equal(({} as { admin?: boolean }).admin, undefined);
      await store.update('s', { metadata: { a: 'x'.repeat(600_000) } });
      await assert.rejects(
        store.update('s', { metadata: { b: 'x'.repeat(600_000) } }),
        ValidationError,
        'the whole counts, not the patch',
      );
      assert.equal((await store.get('s'))?.version, 2);
      assert.equal(await store.exists('t'), false);
    });

    context.case('counters step by safe integers, under names', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      for (const by of [0.5, Number.NaN, Infinity, 2 ** 53, '1' as unknown as number]) {
        await assert.rejects(store.incrementCounter('s', 'n', by), ValidationError);
        await assert.rejects(
          sessions.turn('s', async (turn) => turn.increment('n', by)),
          ValidationError,
        );
      }
      for (const name of ['', 'a b', 'constructor', 5 as unknown as string]) {
        await assert.rejects(store.incrementCounter('s', name), ValidationError);
      }
      await store.incrementCounter('s', 'n', Number.MAX_SAFE_INTEGER);
      await assert.rejects(store.incrementCounter('s', 'n', 1), ValidationError);
      assert.equal(await store.incrementCounter('s', 'n', -1), Number.MAX_SAFE_INTEGER - 1);
      for (let index = 0; index < 127; index += 1) await store.incrementCounter('s', `n${index}`);
      await assert.rejects(store.incrementCounter('s', 'one-too-many'), ValidationError);
      assert.equal(await store.incrementCounter('s', 'n5'), 2);
    });

    context.case(
      'metadata is checked against its schema on write, and read through it',
      async () => {
        const { sessions, store } = await context.place({ metadata: planSchema as never });
        const created = await store.create('s', { metadata: { other: 1 } });
        assert.deepEqual(created.metadata, { plan: 'free', other: 1 });
        await assert.rejects(
          store.create('t', { metadata: { plan: 'gold' } }),
          /metadata\.plan: must be/,
        );
        await assert.rejects(store.update('s', { metadata: { plan: 'gold' } }), ValidationError);
        await assert.rejects(
          store.set('s', { metadata: { plan: 'gold' } }, { ifVersion: 1 }),
          ValidationError,
        );
        let afterBad = false;
        await assert.rejects(
          sessions.turn('s', async (turn) => {
            turn.update({ metadata: { plan: 'gold' } });
            afterBad = true;
          }),
          ValidationError,
        );
        assert.equal(afterBad, false, 'refused where it was written');
        await sessions.turn('s', async (turn) => {
          turn.update({ metadata: { plan: 'pro' } });
          assert.deepEqual(turn.current.metadata, { plan: 'pro', other: 1 });
        });
        assert.deepEqual((await store.get('s'))?.metadata, { plan: 'pro', other: 1 });
        assert.equal(await store.exists('t'), false);
      },
    );

    context.case('what a schema made is each reader’s own where it can’t be frozen', async () => {
      const defaults = { theme: { dark: true } };
      const schema: StandardSchemaV1<object, object> = {
        '~standard': {
          version: 1,
          vendor: 'holdfast-suite',
          validate: (value) => ({ value: { ...(value as object), since: new Date(0), defaults } }),
        },
      };
      const { store } = await context.place({ metadata: schema as never });
      await store.create('s');
      const since = async () => (await store.get('s'))?.metadata.since as unknown as Date;
      (await since()).setFullYear(1999);
      assert.equal((await since()).getTime(), 0);
      assert.equal(
        Object.isFrozen(defaults.theme),
        false,
        'the schema’s own default stays as it is',
      );
    });

    context.case('a turn’s options are checked before it begins', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const bad = [
        { onBusy: 'queue' },
        { waitSeconds: -1 },
        { maxSeconds: 0 },
        { maxSeconds: Number.NaN },
        { idempotencyKey: '' },
        { idempotencyKey: 'x'.repeat(256) },
        { idempotencyKey: 'a\nb' },
        { idempotencyKey: 'k', idempotencyRequest: () => 1 },
        { client: 'x' },
        { client: { ipAddress: 5 } },
        { userId: '' },
        { timeout: 5 },
        { onBusy: 'interrupt', waitSeconds: 1 },
      ] as object[];
      for (const options of bad) {
        await assert.rejects(
          sessions.turn('s', options, async () => 1),
          ValidationError,
        );
      }
      await assert.rejects(sessions.turn('s', {}, 'work' as never), ValidationError);
      assert.equal((await store.get('s'))?.version, 1);
    });
  });
}
