import assert from 'node:assert/strict';
import { HoldfastError } from '../../errors/errors.ts';
import { type JsonObject, toJsonObject } from '../../json/json-value.ts';
import { mergeObject } from '../../json/merge-patch.ts';
import type { SessionManager } from '../../manager/session-manager.ts';
import type { SuiteContext } from './suite-context.ts';

/** What a session must be, by the simplest code that says so. */
interface Model {
  metadata: JsonObject;
  counters: Record<string, number>;
  messages: unknown[];
  version: number;
}

type Operation =
  | { readonly kind: 'create' | 'delete' | 'get'; readonly id: string }
  | { readonly kind: 'update'; readonly id: string; readonly patch: JsonObject }
  | { readonly kind: 'increment'; readonly id: string; readonly by: number }
  | { readonly kind: 'append'; readonly id: string; readonly content: JsonObject }
  | {
      readonly kind: 'turn';
      readonly id: string;
      readonly patch: JsonObject;
      readonly by: number;
      readonly content: JsonObject;
      readonly checkpoint: boolean;
      readonly fails: boolean;
    };

const maxMessages = 8;

/** Random operations by several writers, held against a model (needs `fast-check`). */
export function propertyCases(context: SuiteContext): void {
  context.group('properties', () => {
    context.case(
      'any sequence of operations by three writers does what the model does',
      async () => {
        const { assert: check, asyncProperty, array, tuple, nat } = await import('fast-check');
        const operations = array(tuple(nat(2), await anyOperation()), { maxLength: 40 });
        await check(
          asyncProperty(operations, async (steps) => {
            const { sessions, writer } = await context.place({ maxMessages });
            const writers = [sessions, await writer(), await writer()];
            const model = new Map<string, Model>();
            for (const [index, operation] of steps) {
              const from = writers[index] ?? sessions;
              const expected = applyToModel(model, operation);
              const done = await applyToStore(from, operation);
              assert.equal(done, expected, JSON.stringify(operation));
              await assertSame(writers[(index + 1) % 3] ?? sessions, model, operation.id);
            }
            await context.disposeAll();
          }),
          { numRuns: context.propertyRuns },
        );
      },
    );

    context.case(
      'concurrent turns of several writers leave what some order of them would',
      async () => {
        const {
          assert: check,
          asyncProperty,
          array,
          nat,
          record,
          boolean,
        } = await import('fast-check');
        const turns = array(
          record({ writer: nat(2), by: nat(5), checkpoint: boolean(), fails: boolean() }),
          { minLength: 1, maxLength: 15 },
        );
        await check(
          asyncProperty(turns, async (steps) => {
            const { sessions, store, writer } = await context.place();
            const writers = [sessions, await writer(), await writer()];
            await store.create('s');
            const done = await Promise.all(
              steps.map(async ({ writer: from, by, checkpoint, fails }, index) =>
                (writers[from] ?? sessions)
                  .turn('s', async (turn) => {
                    turn.append({ role: 'user', content: index });
                    turn.increment('n', by);
                    if (checkpoint) await turn.checkpoint();
                    turn.append({ role: 'assistant', content: index });
                    if (fails) throw new RangeError('planned');
                  })
                  .then(
                    () => 'done',
                    (error: unknown) => {
                      if (!(error instanceof RangeError)) throw error;
                      return 'failed';
                    },
                  ),
              ),
            );
            assert.deepEqual(
              done,
              steps.map(({ fails }) => (fails ? 'failed' : 'done')),
            );
            const stored = steps.map(({ checkpoint, fails }) => checkpoint || !fails);
            const session = await store.get('s', { fresh: true });
            assert.equal(
              session?.counters.n ?? 0,
              steps.reduce((sum, { by }, index) => sum + (stored[index] ? by : 0), 0),
            );
            const messages = await store.messages('s');
            const turnsInOrder = messages
              .filter(({ role }) => role === 'user')
              .map((m) => m.content);
            assert.deepEqual(
              [...turnsInOrder].sort((a, b) => Number(a) - Number(b)),
              steps.flatMap((_, index) => (stored[index] ? [index] : [])),
            );
            assert.deepEqual(
              messages.map(({ role, content }) => `${role} ${content}`),
              turnsInOrder.flatMap((index) =>
                steps[Number(index)]?.fails
                  ? [`user ${index}`]
                  : [`user ${index}`, `assistant ${index}`],
              ),
              'no turn’s messages stand inside another’s',
            );
            await context.disposeAll();
          }),
          { numRuns: Math.ceil(context.propertyRuns / 2) },
        );
      },
    );
  });
}

async function anyOperation() {
  const fc = await import('fast-check');
  const id = fc.constantFrom('a', 'b');
  const key = fc.constantFrom('x', 'y', 'z');
  const leaf = fc.oneof(fc.integer(), fc.string({ maxLength: 5 }), fc.constant(null), fc.boolean());
  const patch = fc.dictionary(key, fc.oneof(leaf, fc.dictionary(key, leaf), fc.array(leaf)));
  const by = fc.integer({ min: -5, max: 5 });
  const of = <Kind extends Operation['kind']>(kind: Kind) => fc.constant(kind);
  return fc.oneof(
    fc.record({ kind: fc.constantFrom('create' as const, 'delete' as const, 'get' as const), id }),
    fc.record({ kind: of('update'), id, patch }),
    fc.record({ kind: of('increment'), id, by }),
    fc.record({ kind: of('append'), id, content: patch }),
    fc.record({
      kind: of('turn'),
      id,
      patch,
      by,
      content: patch,
      checkpoint: fc.boolean(),
      fails: fc.boolean(),
    }),
  );
}

/** Applies the operation to the model; what its caller must learn. */
function applyToModel(models: Map<string, Model>, operation: Operation): string {
  const model = models.get(operation.id);
  if (operation.kind === 'create') {
    if (model !== undefined) return 'VERSION_CONFLICT';
    models.set(operation.id, { metadata: {}, counters: {}, messages: [], version: 1 });
    return 'done';
  }
  if (operation.kind === 'get') return model === undefined ? 'none' : 'done';
  if (operation.kind === 'delete') return models.delete(operation.id) ? 'done' : 'none';
  if (model === undefined) return 'SESSION_NOT_FOUND';
  const write = (change: () => void) => {
    change();
    model.messages = model.messages.slice(-maxMessages);
    model.version += 1;
  };
  const patch = (value: JsonObject) => {
    model.metadata = mergeObject(model.metadata, toJsonObject(value, 'patch'));
  };
  const add = (by: number) => {
    model.counters.n = (model.counters.n ?? 0) + by;
  };
  switch (operation.kind) {
    case 'update':
      write(() => patch(operation.patch));
      return 'done';
    case 'increment':
      write(() => add(operation.by));
      return 'done';
    case 'append':
      write(() => model.messages.push(operation.content));
      return 'done';
    case 'turn': {
      const first = () => {
        patch(operation.patch);
        add(operation.by);
      };
      const second = () => model.messages.push(operation.content);
      if (operation.checkpoint) write(first);
      if (operation.fails) return 'failed';
      write(() => {
        if (!operation.checkpoint) first();
        second();
      });
      return 'done';
    }
  }
}

async function applyToStore(sessions: SessionManager, operation: Operation): Promise<string> {
  const { store } = sessions;
  const { id } = operation;
  try {
    switch (operation.kind) {
      case 'create':
        await store.create(id);
        return 'done';
      case 'get':
        return (await store.get(id, { fresh: true })) === null ? 'none' : 'done';
      case 'delete':
        return (await store.delete(id)) ? 'done' : 'none';
      case 'update':
        await store.update(id, { metadata: operation.patch });
        return 'done';
      case 'increment':
        await store.incrementCounter(id, 'n', operation.by);
        return 'done';
      case 'append':
        await store.appendMessages(id, [{ role: 'user', content: operation.content }]);
        return 'done';
      case 'turn':
        await sessions.turn(id, async (turn) => {
          turn.update({ metadata: operation.patch });
          turn.increment('n', operation.by);
          if (operation.checkpoint) await turn.checkpoint();
          turn.append({ role: 'user', content: operation.content });
          if (operation.fails) throw new RangeError('planned');
        });
        return 'done';
    }
  } catch (error) {
    if (error instanceof HoldfastError) return error.code;
    if (error instanceof RangeError) return 'failed';
    throw error;
  }
}

async function assertSame(
  { store }: SessionManager,
  models: Map<string, Model>,
  id: string,
): Promise<void> {
  const model = models.get(id);
  const session = await store.get(id, { fresh: true });
  if (model === undefined) {
    assert.equal(session, null);
    return;
  }
  assert.deepEqual(plain(session?.metadata), plain(model.metadata));
  assert.deepEqual(session?.counters, model.counters);
  assert.equal(session?.version, model.version);
  const messages = await store.messages(id);
  assert.deepEqual(
    messages.map(({ content }) => plain(content)),
    model.messages.map(plain),
  );
}

/** As JSON has it: generated dictionaries may have no prototype. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
