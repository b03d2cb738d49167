import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { repositoryRoot } from '../helpers/repository.ts';

/** These servers and what they import, as an old Node without a loader runs them. */
export function writeAsJavaScript(target: string): void {
  const lib = join('scripts', 'lib');
  cpSync(join(repositoryRoot, lib), join(target, lib), { recursive: true });
  for (const folder of [join('tests', 'servers'), join('tests', 'helpers')]) {
    mkdirSync(join(target, folder), { recursive: true });
    for (const name of readdirSync(join(repositoryRoot, folder))) {
      const source = readFileSync(join(repositoryRoot, folder, name), 'utf8');
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: {
          module: ts.ModuleKind.ESNext,
          target: ts.ScriptTarget.ES2022,
          verbatimModuleSyntax: true,
          rewriteRelativeImportExtensions: true,
        },
      });
      writeFileSync(join(target, folder, name.replace(/\.ts$/, '.js')), outputText);
    }
  }
  writeFileSync(join(target, 'package.json'), '{ "type": "module" }');
}
