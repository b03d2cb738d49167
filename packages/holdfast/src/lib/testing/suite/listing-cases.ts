import assert from 'node:assert/strict';
import { ValidationError } from '../../errors/errors.ts';
import type { ListOptions, SessionStore } from '../../store/session-store.ts';
import type { SuiteContext } from './suite-context.ts';

async function everyPage(store: SessionStore, options: ListOptions): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.listActive({ ...options, cursor });
    ids.push(...page.sessions.map(({ id }) => id));
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return ids;
}

/** Listing by page: all sessions, a user's, and those of a status. */
export function listingCases(context: SuiteContext): void {
  context.group('listing', () => {
    context.case('pages hold every session once', async () => {
      const { store } = await context.place();
      const ids = Array.from({ length: 25 }, (_, index) => `s${index}`);
      for (const id of ids) await store.create(id);
      for (const limit of [1, 7, 25, 200]) {
        const seen = await everyPage(store, { limit });
        assert.deepEqual([...seen].sort(), [...ids].sort());
      }
      assert.ok((await store.listActive({ limit: 7 })).sessions.length <= 7);
    });

    context.case('a page names the sessions that cannot be read: none, where all can', async () => {
      const { store } = await context.place();
      assert.deepEqual((await store.listActive()).unreadable, []);
      await store.create('s', { userId: 'u' });
      for (const options of [{}, { userId: 'u' }, { status: 'active' }] as const) {
        assert.deepEqual((await store.listActive(options)).unreadable, []);
      }
    });

    context.case('a user’s and a status’s sessions are listed by index', async () => {
      const { store } = await context.place();
      for (let index = 0; index < 12; index += 1) {
        await store.create(`s${index}`, { userId: index % 2 === 0 ? 'even' : 'odd' });
      }
      await store.update('s2', { status: 'handed_over' });
      await store.update('s3', { status: 'handed_over' });
      await store.update('s4', { status: 'closed' });
      const list = async (options: ListOptions) => (await everyPage(store, options)).sort();
      assert.deepEqual(await list({ userId: 'odd', limit: 4 }), [
        's1',
        's11',
        's3',
        's5',
        's7',
        's9',
      ]);
      assert.deepEqual(await list({ status: 'handed_over', limit: 1 }), ['s2', 's3']);
      assert.deepEqual(await list({ status: 'closed' }), ['s4']);
      assert.deepEqual(await list({ userId: 'even', status: 'handed_over' }), ['s2']);
      assert.equal((await list({ status: 'active' })).length, 9);
      assert.deepEqual(await list({ userId: 'nobody' }), []);
      await store.update('s2', { status: 'active' });
      await store.update('s3', { userId: 'even' });
      await store.delete('s4');
      assert.deepEqual(await list({ status: 'handed_over' }), ['s3']);
      assert.deepEqual(await list({ status: 'closed' }), []);
      assert.ok((await list({ userId: 'even' })).includes('s3'));
      assert.ok(!(await list({ userId: 'odd' })).includes('s3'));
    });

    context.case(
      'pages of a status hold each of its sessions once, whatever lies between',
      async () => {
        const { store } = await context.place();
        const ids = Array.from({ length: 40 }, (_, index) => `s${index}`);
        const active = ids.filter((_, index) => index % 7 === 3);
        for (const id of ids) {
          const status = active.includes(id) ? 'active' : 'closed';
          await store.create(id, { userId: 'u', status });
        }
        for (const which of [{}, { userId: 'u' }]) {
          for (const limit of [1, 2, 4]) {
            const options: ListOptions = { ...which, status: 'active', limit };
            assert.ok((await store.listActive(options)).sessions.length <= limit);
            assert.deepEqual((await everyPage(store, options)).sort(), [...active].sort());
          }
        }
      },
    );

    context.case('what is created and deleted between pages disturbs no other', async () => {
      const { store } = await context.place();
      for (let index = 0; index < 60; index += 1) await store.create(`s${index}`);
      const first = await store.listActive({ limit: 20 });
      const seen = new Set(first.sessions.map(({ id }) => id));
      const gone = [...seen].slice(0, 15);
      await store.deleteBatch(gone);
      const unseen = Array.from({ length: 60 }, (_, index) => `s${index}`).filter(
        (id) => !seen.has(id),
      );
      const deletedUnseen = unseen.slice(0, 25);
      await store.deleteBatch(deletedUnseen);
      await store.create('late');
      let cursor = first.cursor;
      const rest: string[] = [];
      while (cursor !== null) {
        const page = await store.listActive({ limit: 5, cursor });
        rest.push(...page.sessions.map(({ id }) => id));
        cursor = page.cursor;
      }
      assert.equal(new Set(rest).size, rest.length, 'none twice');
      for (const id of unseen) {
        assert.equal(rest.includes(id), !deletedUnseen.includes(id), id);
      }
    });

    context.case('a bad limit, cursor, status or user is refused', async () => {
      const { store } = await context.place();
      for (const bad of [
        { limit: 0 },
        { limit: 201 },
        { limit: 1.5 },
        { cursor: '../x' },
        { status: 'open' as 'active' },
        { userId: 'bad id' },
      ]) {
        await assert.rejects(store.listActive(bad), ValidationError);
      }
    });
  });
}
