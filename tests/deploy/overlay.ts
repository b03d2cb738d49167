import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { kubernetesFolder, type Manifest, manifestsOf } from './manifests.ts';

interface Kustomization {
  readonly resources: readonly string[];
  readonly patches?: readonly {
    readonly path?: string;
    readonly patch?: string;
    readonly target?: { readonly kind: string; readonly name: string };
  }[];
  readonly images?: readonly { readonly name: string; readonly newTag: string }[];
}

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Lists of Kubernetes whose items are merged by a key of theirs; every other list is replaced. */
const mergeKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
};

/** What kustomize makes of a folder, as far as these use it; a test compares the two where it is installed. */
export function built(folder: string): Manifest[] {
  const path = join(kubernetesFolder, folder);
  const read = (name: string) => readFileSync(join(path, name), 'utf8');
  const {
    resources,
    patches = [],
    images = [],
  } = parse(read('kustomization.yaml')) as Kustomization;
  let manifests = resources.flatMap((name) =>
    name.endsWith('.yaml') ? manifestsOf(read(name)) : built(join(folder, name)),
  );
  for (const { path: file, patch = '', target } of patches) {
    const change = parse(file === undefined ? patch : read(file), { version: '1.1' });
    const { kind, name } = target ?? { kind: change.kind, name: change.metadata.name };
    const isMeant = (one: Manifest) => one.kind === kind && one.metadata.name === name;
    if (!manifests.some(isMeant))
      throw new Error(`${folder} changes a ${kind} ${name} that is not there.`);
    manifests = manifests.flatMap((one) => {
      if (!isMeant(one)) return [one];
      if (Array.isArray(change)) return [added(one as Json, change) as unknown as Manifest];
      if (change.$patch === 'delete') return [];
      return [merged(one as Json, change, '') as unknown as Manifest];
    });
  }
  const text = JSON.stringify(manifests);
  const tagged = images.reduce(
    (all, { name, newTag }) => all.replaceAll(`"image":"${name}"`, `"image":"${name}:${newTag}"`),
    text,
  );
  return JSON.parse(tagged);
}

/** A strategic merge patch. */
function merged(base: Json | undefined, change: Json, place: string): Json {
  if (Array.isArray(change)) {
    const key = mergeKeys[place];
    if (key === undefined || !Array.isArray(base)) return change;
    const keyOf = (item: Json) => (item as Record<string, Json>)[key];
    const items = [...(base as Json[])];
    for (const item of change as Json[]) {
      const at = items.findIndex((one) => keyOf(one) === keyOf(item));
      if (at < 0) items.push(item);
      else items[at] = merged(items[at], item, '');
    }
    return items;
  }
  if (typeof change !== 'object' || change === null) return change;
  const result: Record<string, Json> = isObject(base) ? { ...base } : {};
  for (const [name, value] of Object.entries(change)) {
    result[name] = merged(result[name], value as Json, name);
  }
  return result;
}

/** JSON patches (RFC 6902) that add to the end of a list. */
function added(base: Json, operations: readonly { path: string; value: Json }[]): Json {
  const copy = structuredClone(base);
  for (const { path, value } of operations) {
    const steps = path.split('/').slice(1);
    if (steps.pop() !== '-') throw new Error(`Only ends of lists are added to, not ${path}.`);
    const list = steps.reduce((at, step) => (at as Record<string, Json>)[step] as Json, copy);
    (list as Json[]).push(value);
  }
  return copy;
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
