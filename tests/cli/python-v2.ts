import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Debian's own: it has the packages python3-redis and python3-cryptography. */
const python = '/usr/bin/python3';
const script = fileURLToPath(new URL('./python-v2.py', import.meta.url));

/** A session as Python v2.0 stores it. */
export interface PythonRecord {
  readonly session_id: string;
  readonly user_id: string | null;
  readonly thread_id: string;
  readonly message_count: number;
  readonly escalated: boolean;
  readonly metadata: Record<string, unknown>;
  readonly request_id: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly last_activity: string;
}

/** Why there is no Python to test with; `null` when there is. */
export function whyNoPython(): string | null {
  const { status } = spawnSync(python, ['-c', 'import cryptography, redis']);
  return status === 0
    ? null
    : `${python} lacks redis or cryptography: install python3-redis and python3-cryptography.`;
}

/** Python v2.0 on a Redis: `key` is its Fernet key or password, if it encrypts. */
export class PythonV2 {
  readonly #url: string;
  readonly #key: string | null;

  constructor(url: string, key: string | null = null) {
    this.#url = url;
    this.#key = key;
  }

  /** Sets sessions `session-0` and so on. @returns what is in them */
  fill(count: number): PythonRecord[] {
    return this.#ask({ do: 'fill', count }) as PythonRecord[];
  }

  /** @returns what is in the session then */
  update(n: number, changes: Partial<PythonRecord>): PythonRecord {
    return this.#ask({ do: 'update', n, changes }) as PythonRecord;
  }

  put(id: string, record: object): void {
    this.#ask({ do: 'put', id, record });
  }

  read(): { readonly records: Record<string, PythonRecord>; readonly active: string[] } {
    return this.#ask({ do: 'read' }) as ReturnType<PythonV2['read']>;
  }

  #ask(question: object): unknown {
    const input = `${JSON.stringify({ url: this.#url, key: this.#key, ...question })}\n`;
    const maxBuffer = 64 * 1024 * 1024;
    return JSON.parse(execFileSync(python, [script], { input, encoding: 'utf8', maxBuffer }));
  }
}
