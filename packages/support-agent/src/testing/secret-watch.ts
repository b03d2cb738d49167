import { expect, onTestFinished } from 'vitest';

/** A shorter text may stand in a log by chance. */
const leastLength = 16;

/** Addresses that are for documentation and tests (RFC 5737, RFC 3849): no log has a client's. */
const addresses = ['192.0.2.', '198.51.100.', '203.0.113.', '2001:db8:'];

/** What a test gave a server to keep to itself; when the test ends, its log must have none of it. */
export class SecretWatch {
  readonly #secrets = new Set<string>(addresses);

  /** `log` is called when the test has ended. */
  constructor(log: () => string) {
    onTestFinished(() => {
      const text = log();
      const found = [...this.#secrets].filter((secret) => text.includes(secret));
      expect(found, 'secrets in a log').toEqual([]);
    });
  }

  /** A token, a key, or what somebody wrote: a text, or all texts in a value. */
  keep(secret: unknown): void {
    if (typeof secret === 'string') {
      if (secret.length >= leastLength) this.#secrets.add(secret);
    } else if (typeof secret === 'object' && secret !== null) {
      for (const each of Object.values(secret)) this.keep(each);
    }
  }
}
