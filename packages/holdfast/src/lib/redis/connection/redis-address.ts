import { isIP } from 'node:net';
import { ConfigError } from '../../errors/errors.ts';

export interface RedisTls {
  /** PEM, in place of the system's certificate authorities. */
  readonly ca?: string | Buffer;
  /** PEM, for servers that ask for a client certificate. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** The name that the server's certificate must have. Default: the host of the URL. */
  readonly servername?: string;
  /** Default: true. */
  readonly rejectUnauthorized?: boolean;
}

/** A function is asked at each connection. */
export type Password = string | (() => string | undefined);

export interface RedisAddressOptions {
  /** `redis://` or `rediss://` (TLS) `[user[:password]@]host[:port][/database]`. */
  readonly url: string;
  /** Used where the URL has none. */
  readonly username?: string;
  /** Used where the URL has none. */
  readonly password?: Password;
  /** For a `rediss://` URL. */
  readonly tls?: RedisTls;
}

const defaultPort = 6379;
const form = 'redis://[user[:password]@]host[:port][/database], or rediss:// for TLS';

/** Where a Redis is and how to get in. Logging or serialising one shows no secret. */
export class RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  /** The address without credentials: `redis://127.0.0.1:6379/0`. */
  readonly display: string;
  readonly #username: string | undefined;
  readonly #password: Password | undefined;
  readonly #tls: RedisTls | undefined;

  /** @throws ConfigError for what is no address; never shows the URL, which may hold a password */
  constructor(options: RedisAddressOptions) {
    const url = parse(options.url);
    const secure = url.protocol === 'rediss:';
    if (options.tls !== undefined && !secure) {
      throw new ConfigError('REDIS_URL is not rediss://, so the TLS options would do nothing.');
    }
    this.host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    this.port = url.port === '' ? defaultPort : Number(url.port);
    this.database = databaseOf(url.pathname);
    const host = isIP(this.host) === 6 ? `[${this.host}]` : this.host;
    this.display = `${url.protocol}//${host}:${this.port}/${this.database}`;
    this.#username = decode(url.username) || options.username || undefined;
    this.#password = decode(url.password) || options.password || undefined;
    this.#tls = secure ? (options.tls ?? {}) : undefined;
    if (this.port === 0) throw new ConfigError('REDIS_URL has port 0: use one from 1 to 65535.');
    if (this.#username !== undefined && this.#password === undefined) {
      throw new ConfigError('REDIS_URL names a user but there is no password: set REDIS_PASSWORD.');
    }
  }

  /** The same way in, to another server. */
  at(host: string, port: number): RedisAddress {
    return this.#to(host, port, this.database, this.#username, this.#password);
  }

  /** A sentinel has users of its own, and no databases. */
  ofSentinel(host: string, port: number, password: Password | undefined): RedisAddress {
    return this.#to(host, port, 0, undefined, password);
  }

  #to(host: string, port: number, database: number, username?: string, password?: Password) {
    const protocol = this.#tls === undefined ? 'redis' : 'rediss';
    return new RedisAddress({
      url: `${protocol}://${isIP(host) === 6 ? `[${host}]` : host}:${port}/${database}`,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(this.#tls === undefined ? {} : { tls: this.#tls }),
    });
  }

  get username(): string | undefined {
    return this.#username;
  }

  get password(): string | undefined {
    return typeof this.#password === 'function' ? this.#password() : this.#password;
  }

  /** Undefined for a connection without TLS. */
  get tls(): RedisTls | undefined {
    return this.#tls;
  }
}

/** Its errors have no cause: the platform's hold the whole URL. */
function parse(text: string): URL {
  if (/^(redis\+)?unix:|^\//.test(text)) {
    throw new ConfigError(`REDIS_URL is a Unix socket, which is not supported: use ${form}.`);
  }
  if (!/^rediss?:\/\//.test(text)) throw new ConfigError(`REDIS_URL must be ${form}.`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === '') {
    throw new ConfigError(
      `REDIS_URL is malformed: it must be ${form}; the port is at most 65535, and of / ? # @ : and % in the password each is written as its percent-encoding.`,
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new ConfigError(
      'REDIS_URL has a ? or # part, which means nothing here: take it out, or percent-encode it in the password.',
    );
  }
  return url;
}

function databaseOf(pathname: string): number {
  if (pathname === '' || pathname === '/') return 0;
  const number = /^\/(\d{1,9})$/.exec(pathname)?.[1];
  if (number === undefined) {
    throw new ConfigError('REDIS_URL has a malformed database: it ends with /0, /1 and so on.');
  }
  return Number(number);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ConfigError(
      'REDIS_URL has a % in its user or password that is no percent-encoding: write it as %25.',
    );
  }
}
