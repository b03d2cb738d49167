import { randomUUID } from 'node:crypto';
import { generateKey } from 'holdfast/encryption';
import { describe, expect, it } from 'vitest';
import { muteServer } from '../redis/connection/mute-server.ts';
import {
  ctrlC,
  hasTerminals,
  scene,
  seenInTerminal,
  start,
  startInTerminal,
} from './command-line.ts';

/** What would wait for minutes, if the first signal did not end it. */
const patient = { REDIS_SOCKET_CONNECT_TIMEOUT: '600', REDIS_SOCKET_TIMEOUT: '600' };

describe('the first signal', () => {
  it.each([
    ['doctor'],
    ['stats --watch'],
    ['rekey'],
    ['bench'],
    ['migrate python-v2'],
    ['sessions list'],
    ['sessions tail a'],
    ['sessions delete a --yes'],
    ['sessions export a'],
  ])('ends what waits for a connection: %s', async (words) => {
    const { port, accepted } = await muteServer();
    const running = start(words.split(' '), {
      ...{ SESSION_STORE_TYPE: 'redis', REDIS_URL: `redis://127.0.0.1:${port}`, ...patient },
      SESSION_ENCRYPTION_KEY: generateKey(),
    });
    await expect.poll(() => accepted.length, { timeout: 60_000 }).toBeGreaterThan(0);
    running.send('SIGINT');
    expect(await running.exit).toMatchObject({ code: 130 });
    expect(running.stderr).toMatch(/^Stopped\.$/m);
  });
});

describe.skipIf(!hasTerminals)('Ctrl-C in a terminal', () => {
  it('ends a look that goes on, and leaves the terminal as it was', async () => {
    const { env } = await scene();
    const watching = startInTerminal(['stats', '--watch'], env);
    await watching.says(/Ctrl-C ends it/);
    watching.types(ctrlC);
    expect(await watching.exit).toMatchObject({ code: 130 });
    expect(seenInTerminal(watching).isAsBefore).toBe(true);
  });

  it('ends a long command half-way; run again, that goes on and comes to its end', async () => {
    const first = generateKey();
    const { env, opened, keyPrefix: namespace } = await scene({ SESSION_ENCRYPTION_KEY: first });
    const { createCodec, KeyRing } = await import('holdfast/encryption');
    const store = await opened({ codec: createCodec(KeyRing.parse(first), { namespace }) });
    await Promise.all(Array.from({ length: 3_000 }, () => store.create(randomUUID())));
    const rotated = { ...env, SESSION_ENCRYPTION_KEY: `${generateKey()},${first}` };
    const rekeying = startInTerminal(['rekey'], rotated);
    // It has begun, and has most before it.
    await rekeying.says(/Encrypting .*\d of 3,000 sessions/);
    rekeying.types(ctrlC);
    expect(await rekeying.exit).toMatchObject({ code: 130 });
    const { text, isAsBefore } = seenInTerminal(rekeying);
    expect(isAsBefore).toBe(true);
    expect(text).toContain('Stopped. Run it again to go on from there.');
    const again = start(['rekey', '--json'], rotated);
    expect(await again.exit).toMatchObject({ code: 0 });
    expect(JSON.parse(again.stdout)).toMatchObject({ unreadable: [] });
  });
});
