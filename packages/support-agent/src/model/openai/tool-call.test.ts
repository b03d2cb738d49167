import { createTestSessions } from 'holdfast/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createToolBench } from '../../testing/tool-bench.ts';
import { supportTools } from '../../tools/support-tools.ts';
import { toolCallOf } from './tool-call.ts';

const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

describe('toolCallOf', () => {
  it('reads the input', () => {
    expect(toolCallOf('search_knowledge', '{"query":"a"}')).toEqual({
      id: expect.any(String),
      name: 'search_knowledge',
      input: { query: 'a' },
    });
    expect(toolCallOf('now', ' ').input).toEqual({});
  });

  it('gives each call an id of its own', () => {
    expect(toolCallOf('a', '').id).not.toBe(toolCallOf('a', '').id);
  });

  it.each([
    ['is no JSON', '{"query": "a'],
    ['would be a property of every object', '{"__proto__":{"a":1}}'],
    ['is called constructor', '{"a":[{"constructor":1}]}'],
    ['has a number beyond all that are stored', '{"query":-1e999}'],
    ['is too deep', nested(51)],
    ['is too long', JSON.stringify({ query: 'x'.repeat(17_000) })],
  ])('takes what %s for text, which no tool takes and any session stores', async (_, text) => {
    const call = toolCallOf('search_knowledge', text);
    expect(call.input).toBe(text.slice(0, 1_000));
    const bench = await createToolBench();
    for (const tool of supportTools) {
      expect(await bench.run(tool, call.input)).toEqual({ error: expect.any(String) });
    }
  });

  it.each([
    ['search knowledge', 'search_knowledge'],
    ['functions.search', 'functions_search'],
    ['ü'.repeat(100), '_'.repeat(64)],
    ['', '_'],
  ])('makes of the name %j one that can be sent again', (name, safe) => {
    expect(toolCallOf(name, '{}').name).toBe(safe);
  });

  it('makes what can be stored', async () => {
    const sessions = createTestSessions();
    onTestFinished(() => sessions.close());
    await sessions.getOrCreate({ sessionId: 's' });
    const calls = [
      '{"__proto__":1}',
      nested(50),
      '[{"prototype":1}]',
      '1e999',
      '{"a":[-1e999]}',
    ].map((input) => toolCallOf('x', input));
    await sessions.turn('s', (turn) => {
      turn.append({ role: 'assistant', content: { text: '', tool_calls: calls } });
    });
    expect(await sessions.store.messages('s')).toHaveLength(1);
  });
});
