import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import ts from 'typescript';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nonceBytes, writeNonce } from './nonces.ts';

/** More than one pool. */
const drawn = 1_500;

function draw(): string[] {
  const nonce = Buffer.alloc(nonceBytes);
  return Array.from({ length: drawn }, () => {
    writeNonce(nonce, 0);
    return nonce.toString('hex');
  });
}

/** A program that draws as many, and tells whoever started it. */
function program(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-nonces-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const source = readFileSync(new URL('./nonces.ts', import.meta.url), 'utf8');
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const main = `
    import { parentPort } from 'node:worker_threads';
    const nonce = Buffer.alloc(nonceBytes);
    const nonces = Array.from({ length: ${drawn} }, () => {
      writeNonce(nonce, 0);
      return nonce.toString('hex');
    });
    if (parentPort) parentPort.postMessage(nonces);
    else process.send(nonces);
  `;
  const path = join(folder, 'draw.mjs');
  writeFileSync(path, `${outputText}\n${main}`);
  return path;
}

describe('nonces', () => {
  it('never come twice: in one process, in children that it forks, in its threads', async () => {
    const path = program();
    const before = draw();
    const others = [
      ...Array.from({ length: 3 }, () => fork(path)),
      ...Array.from({ length: 3 }, () => new Worker(path)),
    ];
    const told = await Promise.all(others.map((other) => once(other, 'message')));
    const nonces = [before, draw(), ...told.map(([theirs]) => theirs as string[])].flat();
    expect(nonces).toHaveLength(8 * drawn);
    expect(new Set(nonces).size).toBe(nonces.length);
  });

  it('stand where they are asked for, and nowhere else', () => {
    const target = Buffer.alloc(nonceBytes + 4);
    writeNonce(target, 2);
    expect([target.readUInt16BE(0), target.readUInt16BE(nonceBytes + 2)]).toEqual([0, 0]);
    expect(target.subarray(2, -2).equals(Buffer.alloc(nonceBytes))).toBe(false);
  });
});
