import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyRequest } from 'fastify';
import { Secret, SessionManager } from 'holdfast';
import { InMemorySessionStore } from 'holdfast/memory';
import { afterAll, expect, it } from 'vitest';
import { Gate } from './caller.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-'));
afterAll(() => rmSync(folder, { recursive: true }));

const asked = (key: string) =>
  ({ headers: { authorization: `Bearer ${key}` } }) as unknown as FastifyRequest;

it('asks again who a request is from when the operators’ key has changed meanwhile', () => {
  const path = join(folder, 'key');
  writeFileSync(path, 'the-first-key-of-them-all');
  const operatorKey = Secret.inFile({
    ...{ path, setting: 'ADMIN_API_KEY_FILE', what: 'key', minLength: 16 },
  });
  const sessions = new SessionManager({ store: new InMemorySessionStore({}) });
  const gate = new Gate({ sessions, operatorKey, trustedProxies: 0 });
  const [first, second] = [asked('the-first-key-of-them-all'), asked('the-second-key-of-all')];
  const operators = () => [first, second].map((request) => gate.caller(request).operator);
  expect(operators()).toEqual([true, false]);
  writeFileSync(path, 'the-second-key-of-all');
  const takeOver = operatorKey.reread();
  expect(operators()).toEqual([true, false]);
  takeOver();
  expect(operators()).toEqual([false, true]);
});
