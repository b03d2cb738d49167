import type { JsonObject, JsonValue, Session, SessionStatus } from 'holdfast';
import { createTestSessions, FakeClock } from 'holdfast/testing';
import { onTestFinished } from 'vitest';
import type { Knowledge } from '../knowledge/knowledge-base.ts';
import type { Tool } from '../tools/tool.ts';

const sessionId = 's';

export interface ToolBench {
  readonly clock: FakeClock;
  /** Runs the tool in a turn of its own, as for a customer's message of that `seq`. */
  run(tool: Tool, input: JsonValue, lastCustomerSeq?: number): Promise<JsonValue>;
  session(): Promise<Session | null>;
  update(patch: { escalated?: boolean; status?: SessionStatus }): Promise<Session>;
}

/** A session in memory for tools to work on. */
export async function createToolBench(
  options: { readonly metadata?: JsonObject; readonly knowledge?: Knowledge } = {},
): Promise<ToolBench> {
  const { metadata = {}, knowledge = { search: () => [] } } = options;
  const clock = new FakeClock();
  const sessions = createTestSessions({ clock });
  onTestFinished(() => sessions.close());
  await sessions.getOrCreate({ sessionId, metadata });
  return {
    clock,
    run: (tool, input, lastCustomerSeq = 1) =>
      sessions.turn(sessionId, (turn) =>
        tool.run(input, {
          ...{ turn, knowledge, clock, lastCustomerSeq },
          stepUp: ({ sessionId: id, maxAgeSeconds }) => sessions.requireFresh(id, maxAgeSeconds),
        }),
      ),
    session: () => sessions.store.get(sessionId),
    update: (patch) => sessions.store.update(sessionId, patch),
  };
}
