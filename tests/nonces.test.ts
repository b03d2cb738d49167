import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { startProcess } from './helpers/child-process.ts';
import { repositoryRoot } from './helpers/repository.ts';
import { temporaryFolder } from './helpers/temporary-folder.ts';

const source = join(repositoryRoot, 'packages/holdfast/src/lib/encryption/nonces.ts');

/** The module as JavaScript, beside a program that uses it. */
function folderWith(program: Record<string, string>, module: ts.ModuleKind): string {
  const folder = temporaryFolder();
  const { outputText } = ts.transpileModule(readFileSync(source, 'utf8'), {
    compilerOptions: { module, target: ts.ScriptTarget.ES2022 },
  });
  const name = module === ts.ModuleKind.CommonJS ? 'nonces.cjs' : 'nonces.mjs';
  for (const [file, text] of Object.entries({ ...program, [name]: outputText })) {
    writeFileSync(join(folder, file), text);
  }
  return folder;
}

/** More than two pools of them. */
const drawMany = `
function drawMany() {
  return Array.from({ length: 800 }, () => drawNonce().toString('hex'));
}`;

it('a nonce is never drawn twice, whatever a process forks and starts', async () => {
  const folder = folderWith(
    {
      'main.mjs': `
        import { fork } from 'node:child_process';
        import cluster from 'node:cluster';
        import { once } from 'node:events';
        import { isMainThread, parentPort, Worker } from 'node:worker_threads';
        import { drawNonce } from './nonces.mjs';
        ${drawMany}
        const file = new URL(import.meta.url);
        if (!isMainThread) parentPort.postMessage(drawMany());
        else if (process.send !== undefined) process.send(drawMany(), () => process.disconnect());
        else {
          // From here on there is a pool, used in part.
          const own = [drawNonce().toString('hex')];
          const three = [1, 2, 3];
          const others = [
            ...three.map(() => fork(file)),
            ...three.map(() => cluster.fork()),
            ...three.map(() => new Worker(file)),
          ].map((other) => once(other, 'message'));
          own.push(...drawMany());
          const drawn = (await Promise.all(others)).map(([nonces]) => nonces);
          console.log(JSON.stringify([own, ...drawn]));
        }`,
    },
    ts.ModuleKind.ESNext,
  );
  const run = startProcess(process.execPath, ['main.mjs'], { cwd: folder });
  expect(await run.exit).toEqual({ code: 0, signal: null });
  const drawn: string[][] = JSON.parse(run.stdout);
  expect(drawn.map(({ length }) => length)).toEqual([801, ...Array.from({ length: 9 }, () => 800)]);
  const all = drawn.flat();
  expect(all.every((nonce) => /^[0-9a-f]{24}$/.test(nonce))).toBe(true);
  expect(new Set(all).size).toBe(all.length);
});

it('a nonce is never drawn twice by processes that start from one snapshot', async () => {
  // Everything in one file, as snapshots want it.
  const folder = folderWith({}, ts.ModuleKind.CommonJS);
  const module = readFileSync(join(folder, 'nonces.cjs'), 'utf8');
  writeFileSync(
    join(folder, 'main.cjs'),
    `const exports = {};
    ${module}
    ${drawMany}
    const before = drawNonce().toString('hex');
    require('node:v8').startupSnapshot.setDeserializeMainFunction(() => {
      console.log(JSON.stringify([before, drawMany()]));
    });`,
  );
  const node = async (...args: string[]) => {
    const run = startProcess(process.execPath, ['--snapshot-blob', 'main.blob', ...args], {
      cwd: folder,
    });
    const { code } = await run.exit;
    expect(code, run.stderr).toBe(0);
    return run.stdout;
  };
  await node('--build-snapshot', 'main.cjs');
  const runs: [string, string[]][] = [JSON.parse(await node()), JSON.parse(await node())];
  const [[before, one], [same, other]] = runs as [[string, string[]], [string, string[]]];
  expect(same).toBe(before);
  expect(new Set([before, ...one, ...other]).size).toBe(1 + 800 + 800);
});
