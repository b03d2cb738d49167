import { readFileSync } from 'node:fs';
import type { Profiler, Runtime } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';

/**
 * The time of a profile by the part of the program that it was spent for: a source file of ours or a
 * package, each with what Node and V8 did for it. In nanoseconds for each of `count` answers.
 */
export function timesByPart(
  profile: Profiler.Profile,
  count: number,
): readonly (readonly [part: string, nanoseconds: number])[] {
  const parts = partsOf(profile);
  const micros = new Map<string, number>();
  profile.samples?.forEach((id, index) => {
    const part = parts.get(id) ?? '';
    if (part === '(idle)') return;
    micros.set(part, (micros.get(part) ?? 0) + (profile.timeDeltas?.[index] ?? 0));
  });
  return [...micros]
    .map(([part, time]) => [part, (time * 1_000) / count] as const)
    .sort(([, a], [, b]) => b - a);
}

/** By the node's id. A node of Node's own counts for whoever called it, if that is known. */
function partsOf({ nodes }: Profiler.Profile): ReadonlyMap<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parts = new Map<number, string>();
  const visit = (id: number, caller: string | undefined) => {
    const node = byId.get(id);
    if (node === undefined) return;
    const own = ownPart(node.callFrame);
    parts.set(id, own ?? caller ?? inNode(node.callFrame));
    for (const child of node.children ?? []) visit(child, own ?? caller);
  };
  if (nodes[0] !== undefined) visit(nodes[0].id, undefined);
  return parts;
}

function ownPart({ url, functionName, lineNumber }: Runtime.CallFrame): string | undefined {
  // The collector, for one. Whoever happened to run when it began has not made all that it collects.
  if (url === '' && functionName.startsWith('(') && functionName !== '(root)') return functionName;
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(url)?.[1];
  if (dependency !== undefined) return dependency;
  return url.startsWith('file:') ? sourceAt(url, lineNumber) : undefined;
}

function inNode({ url, functionName }: Runtime.CallFrame): string {
  return url === '' ? functionName : url;
}

const sources = new Map<string, readonly (readonly [line: number, source: string])[]>();

/** The source file that a line of a bundle came from, by the comments of the bundler. */
function sourceAt(url: string, line: number): string {
  let known = sources.get(url);
  if (known === undefined) {
    const lines = readFileSync(fileURLToPath(url), 'utf8').split('\n');
    known = lines.flatMap((text, at) => {
      const source = /^\/\/#region (.*)/.exec(text)?.[1];
      return source === undefined ? [] : [[at, source] as const];
    });
    sources.set(url, known);
  }
  const found = known.findLast(([from]) => from <= line)?.[1] ?? 'main';
  return `${/packages\/([^/]+)\//.exec(url)?.[1] ?? ''}: ${found.replace(/^.*?src\//, '')}`;
}
