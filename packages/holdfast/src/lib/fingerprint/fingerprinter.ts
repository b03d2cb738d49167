import { ConfigError } from '../errors/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import type { ClientBinding, ClientInfo } from '../manager/client-binding.ts';
import { sameHash } from '../model/token.ts';
import { FeatureKey, type FingerprintKey, unkeyed } from './feature-key.ts';
import { normalizeUserAgent } from './user-agent.ts';

/** What of a client a session can be bound to. */
export type FingerprintPart = 'ip' | 'user_agent';

const userAgentFeatures = ['browser', 'os', 'device'] as const;

export interface FingerprinterOptions {
  /**
   * The first hashes new sessions' features, all are compared. A key must stay for as long as
   * sessions last that began under it; without keys the hashes hide nothing from who can read them.
   */
  readonly keys?: readonly FingerprintKey[] | undefined;
  /** Default: both. */
  readonly bind?: readonly FingerprintPart[] | undefined;
}

/**
 * Binds sessions to features of their clients: the network (IPv4 /24, IPv6 /64), and the browser's
 * family, the operating system and the kind of device, without versions. Each feature is stored as a
 * keyed hash of its own, so that what differs can be named and nothing of the client be read.
 */
export class Fingerprinter implements ClientBinding {
  readonly #current: FeatureKey;
  readonly #keys: ReadonlyMap<string, FeatureKey>;
  readonly #bindsIp: boolean;
  readonly #bindsUserAgent: boolean;

  /** @throws ConfigError for keys that are too short or of the same id, and for nothing to bind. */
  constructor({ keys = [], bind = ['ip', 'user_agent'] }: FingerprinterOptions = {}) {
    const parsed = keys.map(FeatureKey.from);
    // Sessions that began before there was a key can still be compared.
    this.#keys = new Map([unkeyed, ...parsed].map((key) => [key.id, key]));
    if (this.#keys.size <= parsed.length) {
      throw new ConfigError('Two fingerprint keys have the same keyId. Give each one its own.');
    }
    this.#current = parsed[0] ?? unkeyed;
    if (bind.length === 0 || !bind.every((part) => part === 'ip' || part === 'user_agent')) {
      throw new ConfigError("bind must list 'ip', 'user_agent', or both.");
    }
    this.#bindsIp = bind.includes('ip');
    this.#bindsUserAgent = bind.includes('user_agent');
  }

  capture({ ipAddress, userAgent }: ClientInfo): JsonObject {
    const key = this.#current;
    return {
      key: key.id,
      ...(this.#bindsIp && { ip: key.network(ipAddress) }),
      ...(this.#bindsUserAgent && key.userAgent(normalizeUserAgent(userAgent))),
    };
  }

  /**
   * `ip`, `browser`, `os` and `device`, as far as they are bound and differ; one that is absent
   * differs from one that is there. `unknown_key` alone when nothing can be compared because the
   * session was bound under a key that this instance does not have: that is no sign of the same
   * client, and must not pass for one.
   */
  differences(bound: JsonValue, { ipAddress, userAgent }: ClientInfo): readonly string[] {
    const stored = isJsonObject(bound) ? bound : {};
    const key = typeof stored.key === 'string' ? this.#keys.get(stored.key) : undefined;
    if (key === undefined) return ['unknown_key'];
    const differing: string[] = [];
    if (this.#bindsIp && differs(stored.ip, key.network(ipAddress))) differing.push('ip');
    if (this.#bindsUserAgent) {
      const now = key.userAgent(normalizeUserAgent(userAgent));
      for (const feature of userAgentFeatures) {
        if (differs(stored[feature], now[feature])) differing.push(feature);
      }
    }
    return differing;
  }
}

/** What was not bound then has nothing to differ from. */
function differs(before: JsonValue | undefined, now: string): boolean {
  return typeof before === 'string' && !sameHash(before, now);
}
