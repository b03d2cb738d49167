import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'tsdown';
import { onTestFinished } from 'vitest';
import { repositoryRoot } from '../../helpers/repository.ts';
import { waitForState } from '../../servers/process-state.ts';

export interface InstanceSettings {
  readonly store: { readonly url: string; readonly keyPrefix: string; readonly timeoutMs?: number };
  readonly leaseMs: number;
}

export type Order =
  | {
      readonly kind: 'turn';
      readonly name: string;
      readonly id: string;
      readonly options: { readonly waitSeconds?: number; readonly idempotencyKey?: string };
      /** Live output, before anything else. */
      readonly texts: readonly string[];
    }
  /** The turn's work ends. */
  | { readonly kind: 'go'; readonly name: string };

export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'working'; readonly name: string; readonly attempt: number }
  | { readonly kind: 'aborted' | 'failed'; readonly name: string; readonly code: string }
  | { readonly kind: 'done'; readonly name: string };
