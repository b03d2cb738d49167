import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { repositoryRoot } from '../helpers/repository.ts';

export const deployFolder = join(repositoryRoot, 'deploy');

interface ComposeService {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly deploy?: { readonly replicas?: number };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly stop_grace_period?: string;
  readonly secrets?: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks?: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly secrets?: Readonly<Record<string, { readonly file: string }>>;
}

/** One of the Compose files by itself, with the variables of a shell; `docker-compose` is not needed. */
export function composeFile(
  name = 'docker-compose.yml',
  shell: Readonly<Record<string, string>> = {},
): ComposeFile {
  const text = readFileSync(join(deployFolder, name), 'utf8');
  return parse(
    text,
    (_, value) => (typeof value === 'string' ? interpolate(value, shell) : value),
    {
      merge: true,
    },
  );
}

/** As the Compose specification has it (12, "Interpolation"), of what these files use. */
function interpolate(value: string, shell: Readonly<Record<string, string>>): string {
  return value.replaceAll(/(\$\$)|\$\{(\w+):-([^}]*)\}/g, (_, escaped, name, fallback) =>
    escaped ? '$' : shell[name] || fallback,
  );
}
