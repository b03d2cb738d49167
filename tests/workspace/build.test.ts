import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { startProcess } from '../helpers/child-process.ts';
import { repositoryRoot } from '../helpers/repository.ts';

const library = 'packages/holdfast';
const manifest: { exports: Record<string, { types: string } | string> } = JSON.parse(
  readFileSync(join(repositoryRoot, library, 'package.json'), 'utf8'),
);
const entries = Object.entries(manifest.exports).flatMap(([name, target]) =>
  typeof target === 'string' ? [] : [[name, target.types] as const],
);

describe('the built library', () => {
  it.each(entries)('has the export %s with its types', async (name, types) => {
    const copy = inject('builtCopy');
    expect(existsSync(join(copy, library, types))).toBe(true);
    const script = `console.log(Object.keys(await import('holdfast${name.slice(1)}')).length)`;
    const imported = startProcess(process.execPath, ['--input-type=module', '-e', script], {
      cwd: copy,
    });
    await imported.says(/^[1-9]\d*$/m);
    expect(await imported.exit).toEqual({ code: 0, signal: null });
  });

  it('is imported by the built server, not copied into it', () => {
    const dist = join(inject('builtCopy'), 'packages/support-agent/dist');
    const scripts = readdirSync(dist).filter((name) => name.endsWith('.js'));
    const text = scripts.map((name) => readFileSync(join(dist, name), 'utf8')).join('\n');
    expect(text).toMatch(/from "holdfast"/);
  });
});
