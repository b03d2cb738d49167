import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as apps from 'kubernetes-models/apps/v1';
import * as batch from 'kubernetes-models/batch/v1';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as core from 'kubernetes-models/v1';
import ts from 'typescript';
import { parseAllDocuments } from 'yaml';
import { repositoryRoot } from '../helpers/repository.ts';
import { deployFolder } from './compose-file.ts';

export const kubernetesFolder = join(deployFolder, 'kubernetes');
const kubectl = 'kubectl';
export const hasKubectl = spawnSync(kubectl, ['version', '--client']).status === 0;

/** Any resource; its kind says what is in it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  // Whatever it is: the schemas and types of its kind are what checks it.
  readonly [part: string]: unknown;
}

/** YAML 1.1, as Kubernetes reads it: `0440` is octal. */
export function manifestsOf(text: string): Manifest[] {
  return parseAllDocuments(text, { version: '1.1' }).map((document) => document.toJS());
}

export function manifestsIn(folder: string): Manifest[] {
  const files = readdirSync(join(kubernetesFolder, folder)).filter(
    (name) => name.endsWith('.yaml') && name !== 'kustomization.yaml',
  );
  return files.flatMap((name) =>
    manifestsOf(readFileSync(join(kubernetesFolder, folder, name), 'utf8')),
  );
}

/** What `kubectl apply -k` would apply. */
export function kustomized(folder: string): Manifest[] {
  const args = ['kustomize', join(kubernetesFolder, folder)];
  return manifestsOf(execFileSync(kubectl, args, { encoding: 'utf8' }));
}

/** What is in these files, by `apiVersion`. */
const models = {
  v1: core,
  'apps/v1': apps,
  'batch/v1': batch,
  'policy/v1': policy,
  'networking.k8s.io/v1': networking,
};

type Model = new (manifest: object) => { validate(): void };

/** @throws what Kubernetes' own JSON schema of this kind finds wrong */
export function validate(manifest: Manifest): void {
  const kinds: Readonly<Record<string, unknown>> =
    models[manifest.apiVersion as keyof typeof models] ?? {};
  const Kind = kinds[manifest.kind] as Model | undefined;
  if (Kind === undefined) throw new Error(`Unknown: ${manifest.apiVersion} ${manifest.kind}.`);
  new Kind(manifest).validate();
}

/** What the types of these kinds do not know: a schema lets unknown fields pass, and Kubernetes drops them. */
export function typeErrors(manifests: readonly Manifest[]): string[] {
  const lines = manifests.flatMap((manifest, index) => {
    const { apiVersion, kind } = manifest;
    // What an int-or-string may be is a type that literals of JSON do not show.
    const literal = JSON.stringify(manifest);
    return [
      `import type { I${kind} as T${index} } from 'kubernetes-models/${apiVersion}/${kind}';`,
      `export const m${index}: T${index} = ${literal};`,
    ];
  });
  const file = join(repositoryRoot, 'tests', 'deploy', 'generated-manifests.ts');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  const source = lines.join('\n');
  host.fileExists = (name) => name === file || fileExists(name);
  host.readFile = (name) => (name === file ? source : readFile(name));
  const { getSourceFile } = host;
  host.getSourceFile = (name, ...rest) =>
    name === file
      ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022)
      : getSourceFile(name, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
