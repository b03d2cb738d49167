import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { ConfigError } from '../errors/errors.ts';
import type { IpAddress } from '../net/ip-address.ts';
import { networkOf } from './network.ts';
import { readUserAgent, type UserAgentFeatures } from './user-agent.ts';

export interface FingerprintKey {
  /** Stored with what was captured under the key: 1 to 64 visible ASCII characters. */
  readonly keyId: string;
  /** 32 bytes or more, for nothing else: derived from another key, say (RFC 5869). */
  readonly key: Uint8Array;
}

/** 96 bits: more than enough to tell features apart, and nothing to forge them from. */
const hashBytes = 12;
/** User-Agents whose hashes are kept. A server's visitors have few hundred that are common. */
const maxSeen = 1000;

/** Hashes features under one key. What it has hashed lately it remembers. */
export class FeatureKey {
  readonly id: string;
  readonly #key: KeyObject;
  readonly #seen = new LRUCache<string, UserAgentFeatures>({ max: maxSeen });

  constructor(id: string, key: Uint8Array) {
    this.id = id;
    this.#key = createSecretKey(key);
  }

  /** @throws ConfigError */
  static from({ keyId, key }: FingerprintKey): FeatureKey {
    if (typeof keyId !== 'string' || !/^[\x21-\x7e]{1,64}$/.test(keyId)) {
      throw new ConfigError('A fingerprint keyId must be 1 to 64 visible ASCII characters.');
    }
    if (!(key instanceof Uint8Array) || key.length < 32) {
      throw new ConfigError(`The fingerprint key "${keyId}" must have 32 bytes or more.`);
    }
    return new FeatureKey(keyId, key);
  }

  /** @param address `null` for one that is not known. */
  network(address: IpAddress | null): string {
    return this.#hash('ip', address === null ? '' : networkOf(address));
  }

  /** @param userAgent a normalized one. */
  userAgent(userAgent: string): UserAgentFeatures {
    const seen = this.#seen.get(userAgent);
    if (seen !== undefined) return seen;
    const { browser, os, device } = readUserAgent(userAgent);
    const hashes = {
      browser: this.#hash('browser', browser),
      os: this.#hash('os', os),
      device: this.#hash('device', device),
    };
    this.#seen.set(userAgent, hashes);
    return hashes;
  }

  /** HMAC-SHA256 (RFC 2104), cut short. With the feature's name in it no two features are alike. */
  #hash(feature: string, value: string): string {
    const hmac = createHmac('sha256', this.#key).update(
      `holdfast fingerprint ${feature}\0${value}`,
    );
    return hmac.digest().toString('base64url', 0, hashBytes);
  }
}

/**
 * For sessions that are bound where no key is set: all instances must agree, so this is no secret.
 * Whoever reads such hashes can find the network by trying all of them.
 */
export const unkeyed = new FeatureKey('', Buffer.from('holdfast fingerprint without a key'));
