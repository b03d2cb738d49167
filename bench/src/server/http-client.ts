import { Pool } from 'undici';

export interface Call {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Received {
  readonly text: string;
  /** From the call to the first byte of the body, in milliseconds. */
  readonly firstByteMs: number;
}

/** Connections to one server that stay open. */
export class HttpClient {
  readonly #pool: Pool;

  constructor(port: number, connections: number) {
    this.#pool = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1 });
  }

  /** @throws Error for any status but a success */
  async post({ headers, ...call }: Call): Promise<Received> {
    const json = { 'content-type': 'application/json', ...headers };
    return this.#request('POST', { ...call, headers: json });
  }

  /** @throws Error for any status but a success */
  async get(call: Call): Promise<Received> {
    return this.#request('GET', call);
  }

  async #request(method: 'GET' | 'POST', { path, headers = {}, body }: Call): Promise<Received> {
    const from = performance.now();
    const response = await this.#pool.request({ method, path, headers, body: body ?? null });
    let firstByteMs = Number.NaN;
    let text = '';
    for await (const chunk of response.body) {
      if (text === '') firstByteMs = performance.now() - from;
      text += chunk;
    }
    if (response.statusCode >= 300)
      throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
    return { text, firstByteMs };
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
