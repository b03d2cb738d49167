import { readSecret } from './named-files.ts';
import type { Secret } from './secret.ts';
import type { Settings } from './settings.ts';
import { type KeyPair, readKeyPair } from './tls-files.ts';

/** Where the server listens, and whom it lets do what. */
export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  /** Undefined where the server speaks plain HTTP. */
  readonly tls: KeyPair | undefined;
  readonly adminApiKey: Secret | undefined;
  readonly metricsToken: Secret | undefined;
  readonly corsOrigins: readonly string[];
  readonly rateLimit: {
    readonly enabled: boolean;
    readonly requests: number;
    readonly periodMs: number;
  };
  /** Addresses and CIDR ranges, or how many proxies there are. */
  readonly trustedProxies: readonly string[] | number;
}

const key = { what: 'key', minLength: 16, isForHeaders: true };

/** @param wrong gets a sentence for each setting that cannot be used, without its value */
export function readServerConfig(settings: Settings, wrong: string[]): ServerConfig {
  return {
    host: settings.API_HOST,
    port: settings.API_PORT,
    tls: readKeyPair('API_TLS', settings, wrong),
    adminApiKey: readSecret('ADMIN_API_KEY', key, settings, wrong),
    metricsToken: readSecret('METRICS_TOKEN', key, settings, wrong),
    corsOrigins: settings.CORS_ORIGINS,
    rateLimit: {
      enabled: settings.RATE_LIMIT_ENABLED,
      requests: settings.RATE_LIMIT_REQUESTS,
      periodMs: settings.RATE_LIMIT_PERIOD * 1000,
    },
    trustedProxies: settings.TRUSTED_PROXIES,
  };
}
