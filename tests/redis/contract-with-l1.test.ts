import { sessionStoreSuite } from 'holdfast/testing';
import { afterAll, afterEach, beforeEach, describe, it } from 'vitest';
import { suiteTarget } from './support/suite-target.ts';

const { target, stop } = await suiteTarget({ name: 'redis, with an L1', l1: {} });
afterAll(stop);

sessionStoreSuite(target, { describe, it, beforeEach, afterEach });
