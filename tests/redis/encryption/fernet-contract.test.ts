import { sessionStoreSuite } from 'holdfast/testing';
import { afterAll, afterEach, beforeEach, describe, it } from 'vitest';
import { encrypting } from '../support/encryption.ts';
import { suiteTarget } from '../support/suite-target.ts';

const { target, stop } = await suiteTarget({
  name: 'redis, Fernet',
  codecFor: (keyPrefix) => encrypting(keyPrefix, 'fernet'),
  propertyRuns: 5,
});
afterAll(stop);

sessionStoreSuite(target, { describe, it, beforeEach, afterEach });
