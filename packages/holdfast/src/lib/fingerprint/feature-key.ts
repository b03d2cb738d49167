import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { ConfigError } from '../errors/errors.ts';
import { parseIpAddress } from '../net/ip-address.ts';
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
/** User-Agents that are remembered: a server's visitors have a few hundred that are common. */
const maxUserAgents = 1_000;
/** Addresses that are remembered, and hashes: to make one costs 10 µs, garbage collection included. */
const maxAddresses = 10_000;
const maxHashes = 10_000;
/** Of IPv6, with an IPv4 address at its end (RFC 4291, section 2.2). */
const longestAddress = 45;

/** Hashes features under one key, and remembers those that it has seen lately. */
export class FeatureKey {
  readonly id: string;
  readonly #key: KeyObject;
  readonly #userAgents = new LRUCache<string, UserAgentFeatures>({ max: maxUserAgents });
  readonly #addresses = new LRUCache<string, string>({ max: maxAddresses });
  readonly #hashes = new LRUCache<string, string>({ max: maxHashes });

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

  /** The address's network; what is no address is the same as none. */
  network(text = ''): string {
    let hash = this.#addresses.get(text);
    if (hash === undefined) {
      const address = parseIpAddress(text);
      hash = this.#hash('ip', address === null ? '' : networkOf(address));
      // With a zone behind it a text can have any length.
      if (address !== null && text.length <= longestAddress) this.#addresses.set(text, hash);
    }
    return hash;
  }

  /** @param userAgent a normalized one. */
  userAgent(userAgent: string): UserAgentFeatures {
    const seen = this.#userAgents.get(userAgent);
    if (seen !== undefined) return seen;
    const { browser, os, device } = readUserAgent(userAgent);
    const hashes = {
      browser: this.#hash('browser', browser),
      os: this.#hash('os', os),
      device: this.#hash('device', device),
    };
    this.#userAgents.set(userAgent, hashes);
    return hashes;
  }

  /** HMAC-SHA256 (RFC 2104), cut short. With the feature's name in it no two features are alike. */
  #hash(feature: string, value: string): string {
    const text = `holdfast fingerprint ${feature}\0${value}`;
    let hash = this.#hashes.get(text);
    if (hash === undefined) {
      const hmac = createHmac('sha256', this.#key).update(text);
      hash = hmac.digest().toString('base64url', 0, hashBytes);
      this.#hashes.set(text, hash);
    }
    return hash;
  }
}

/**
 * For sessions that are bound where no key is set: all instances must agree, so this is no secret.
 * Whoever reads such hashes can find the network by trying all of them.
 */
export const unkeyed = new FeatureKey('', Buffer.from('holdfast fingerprint without a key'));
