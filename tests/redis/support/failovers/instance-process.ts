import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsdown';
import { onTestFinished, vi } from 'vitest';
import { repositoryRoot } from '../../../helpers/repository.ts';
import { isStopped } from '../../../servers/process-state.ts';

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

/** The program of an instance, with all that it imports: an old Node runs no TypeScript. */
export class InstanceProgram {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async build(): Promise<InstanceProgram> {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-instance-'));
    await build({
      config: false,
      entry: [fileURLToPath(import.meta.resolve('./instance-main.ts'))],
      outDir: folder,
      format: 'esm',
      platform: 'node',
      fixedExtension: true,
      dts: false,
      noExternal: () => true,
      inlineOnly: false,
      loader: { '.lua': 'text' },
      tsconfig: join(repositoryRoot, 'tsconfig.base.json'),
      logLevel: 'silent',
    });
    return new InstanceProgram(folder);
  }

  /** An instance that is ready for orders. It ends with the test that started it. */
  async start(settings: InstanceSettings): Promise<InstanceProcess> {
    const child = fork(join(this.#folder, 'instance-main.mjs'), { execArgv: [] });
    const instance = new InstanceProcess(child);
    onTestFinished(() => instance.kill());
    child.send(settings);
    await instance.says('ready');
    return instance;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Another process's instance. */
export class InstanceProcess {
  readonly reports: Report[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #over = false;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (report: Report) => this.reports.push(report));
    this.#ended = new Promise((resolve) => {
      child.on('exit', () => {
        this.#over = true;
        resolve();
      });
    });
  }

  /** Begins a turn; its work reports itself and waits for `go`. */
  turn(
    name: string,
    id: string,
    options: { waitSeconds?: number; idempotencyKey?: string } = {},
    texts: readonly string[] = [],
  ): void {
    this.#order({ kind: 'turn', name, id, options, texts });
  }

  go(name: string): void {
    this.#order({ kind: 'go', name });
  }

  /** The report, as soon as it is there. */
  async says<Kind extends Report['kind']>(
    kind: Kind,
    name?: string,
  ): Promise<Extract<Report, { kind: Kind }>> {
    const found = () =>
      this.reports.find(
        (report) =>
          report.kind === kind &&
          (name === undefined || ('name' in report && report.name === name)),
      ) as Extract<Report, { kind: Kind }> | undefined;
    return vi.waitUntil(
      () => {
        const report = found();
        if (report === undefined && this.#over) throw new Error(`It ended without saying ${kind}.`);
        return report;
      },
      { timeout: 60_000, interval: 1 },
    );
  }

  async pause(): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('The process did not start.');
    this.#child.kill('SIGSTOP');
    await vi.waitUntil(() => isStopped(pid), { timeout: 60_000, interval: 1 });
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #order(order: Order): void {
    this.#child.send(order);
  }
}
