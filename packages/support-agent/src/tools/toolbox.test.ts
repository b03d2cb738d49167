import { type JsonValue, StoreUnavailableError } from 'holdfast';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createToolBench, type ToolBench } from '../testing/tool-bench.ts';
import { rememberFact } from './remember-fact.ts';
import { supportTools } from './support-tools.ts';
import { defineTool, type Tool } from './tool.ts';
import { Toolbox } from './toolbox.ts';

function toolThat(run: () => Promise<string>): Tool {
  return defineTool({ name: 'do', description: 'Does.', input: z.strictObject({}), run });
}

/** Runs the tool as a model would have it run: by its name. */
async function runWith(
  tool: Tool,
  options: { bench?: ToolBench; name?: string; input?: JsonValue } = {},
) {
  const { bench = await createToolBench(), name = tool.spec.name, input = {} } = options;
  const toolbox = new Toolbox([tool]);
  const call = { id: '1', name, input };
  return bench.run({ spec: tool.spec, run: (_, context) => toolbox.run(call, context) }, {});
}

describe('Toolbox', () => {
  it('tells a model its tools by name, with a JSON Schema of their input', () => {
    const { specs } = new Toolbox(supportTools);
    expect(specs.map(({ name }) => name)).toEqual([
      'search_knowledge',
      'remember_fact',
      'escalate',
    ]);
    expect(specs[2]?.inputSchema).toMatchObject({
      type: 'object',
      properties: { reason: { enum: expect.arrayContaining(['legal', 'repeated_failure']) } },
      required: ['reason'],
      additionalProperties: false,
    });
    for (const { description, inputSchema } of specs) {
      expect(description).not.toBe('');
      expect(JSON.parse(JSON.stringify(inputSchema))).toEqual(inputSchema);
    }
  });

  it('runs the tool of that name', async () => {
    expect(await runWith(toolThat(async () => 'done'))).toBe('done');
  });

  it('tells the model that there is no such tool', async () => {
    expect(
      await runWith(
        toolThat(async () => 'done'),
        { name: 'refund' },
      ),
    ).toEqual({
      error: 'There is no such tool; there are do.',
    });
  });

  it('tells the model what the session has no room for, and changes nothing', async () => {
    const metadata = { page: 'x'.repeat(1024 * 1024 - 20) };
    const bench = await createToolBench({ metadata });
    const input = { kind: 'email', value: 'kim@example.com' };
    expect(await runWith(rememberFact, { bench, input })).toEqual({
      error: expect.stringContaining('metadata'),
    });
    expect((await bench.session())?.metadata).toEqual(metadata);
  });

  it('passes on that the store failed', async () => {
    const tool = toolThat(() => Promise.reject(new StoreUnavailableError('No store.')));
    await expect(runWith(tool)).rejects.toThrow(StoreUnavailableError);
  });
});
