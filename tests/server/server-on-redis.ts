import { inject } from 'vitest';
import { SecretWatch } from '../../packages/support-agent/src/testing/secret-watch.ts';
import { type RunningProcess, startProcess } from '../helpers/child-process.ts';
import { addressOf } from '../helpers/npm-start.ts';

export const operatorKey = 'operator-key-of-the-tests';

/** One line of a server's log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
}

export interface Answer {
  readonly status: number;
  readonly type: string | null;
  // What the servers answer is compared with what it should be, whatever it is.
  readonly body: Record<string, unknown>;
}

/** What a customer's browser does, at one server. */
export class ServerClient {
  readonly address: string;
  readonly #secrets: SecretWatch | undefined;

  constructor(address: string, secrets?: SecretWatch) {
    this.address = address;
    this.#secrets = secrets;
  }

  async request(
    method: string,
    path: string,
    { token, key, body }: { token?: string; key?: string; body?: object } = {},
  ): Promise<Answer> {
    this.#secrets?.keep(body);
    const response = await fetch(`${this.address}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const type = response.headers.get('content-type');
    const text = await response.text();
    return { status: response.status, type, body: text === '' ? {} : JSON.parse(text) };
  }

  async open(): Promise<OpenSession> {
    const { status, body } = await this.request('POST', '/api/sessions');
    const { session_id: id, token } = body;
    if (status !== 201 || typeof id !== 'string' || typeof token !== 'string') {
      throw new Error(`No session: ${status} ${JSON.stringify(body)}`);
    }
    this.#secrets?.keep(token);
    return { id, token };
  }

  say({ id, token }: OpenSession, message: string, key?: string): Promise<Answer> {
    const path = `/api/sessions/${id}/messages`;
    return this.request('POST', path, {
      token,
      body: { message },
      ...(key === undefined ? {} : { key }),
    });
  }

  /** What was said; not what the assistant did besides. */
  async history({ id, token }: OpenSession): Promise<readonly StoredMessage[]> {
    const { body } = await this.request('GET', `/api/sessions/${id}/messages?limit=200`, { token });
    const messages = body.messages as StoredMessage[];
    return messages.filter(({ content }) => Boolean(content.text));
  }
}

/** A built server as a process of its own: no npm or shell between, so that a signal is the server's. */
export class ServerOnRedis extends ServerClient {
  readonly process: RunningProcess;
  /** What its log must not have. */
  readonly secrets: SecretWatch;

  private constructor(process: RunningProcess, address: string, secrets: SecretWatch) {
    super(address, secrets);
    this.process = process;
    this.secrets = secrets;
  }

  static launch(redisUrl: string, env: Record<string, string> = {}): RunningProcess {
    return startProcess(process.execPath, ['scripts/start.mjs'], {
      cwd: inject('builtCopy'),
      env: {
        API_PORT: '0',
        ADMIN_API_KEY: operatorKey,
        SESSION_STORE_TYPE: 'redis',
        REDIS_URL: redisUrl,
        // Most tests send more than a customer would; those of the limits set them.
        RATE_LIMIT_ENABLED: 'false',
        LOG_LEVEL: 'debug',
        ...env,
      },
    });
  }

  /** A server that is ready; it ends with the test. */
  static async start(redisUrl: string, env?: Record<string, string>): Promise<ServerOnRedis> {
    const process = ServerOnRedis.launch(redisUrl, env);
    const secrets = new SecretWatch(() => process.stdout + process.stderr);
    secrets.keep(operatorKey);
    secrets.keep(env?.SESSION_ENCRYPTION_KEY?.split(','));
    return new ServerOnRedis(process, await addressOf(process), secrets);
  }
}

/** The built command line, on the same Redis. */
export function holdfast(
  redisUrl: string,
  args: string[],
  env: Record<string, string> = {},
): RunningProcess {
  return startProcess(process.execPath, ['packages/holdfast/dist/cli.js', ...args], {
    cwd: inject('builtCopy'),
    env: { SESSION_STORE_TYPE: 'redis', REDIS_URL: redisUrl, ...env },
  });
}

export interface OpenSession {
  readonly id: string;
  readonly token: string;
}

export interface StoredMessage {
  readonly seq: number;
  readonly role: string;
  readonly content: { readonly text: string };
}

export function logOf({ stdout }: RunningProcess): LogLine[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}
