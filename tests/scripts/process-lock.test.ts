import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { identityOf } from '../../scripts/lib/process-identity.mjs';
import { ProcessLock } from '../../scripts/lib/process-lock.mjs';
import { startProcess } from '../helpers/child-process.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const module = JSON.stringify(new URL('../../scripts/lib/process-lock.mjs', import.meta.url).href);

function runScript(body: string, dir: string) {
  const script = `import { ProcessLock } from ${module};\n${body}`;
  return startProcess(process.execPath, ['--input-type=module', '-e', script], { cwd: dir });
}

/** A process that takes the lock, says so, and keeps it until it is stopped. */
async function startHolder(dir: string) {
  const holder = runScript(
    `await ProcessLock.acquire('lock', () => {}); console.log('held'); setInterval(() => {}, 1e6);`,
    dir,
  );
  await holder.says(/held/);
  return holder;
}

function neverWaits(): never {
  throw new Error('The lock is not free.');
}

/** The pid that a second taker is told to wait for; resolves when it has the lock. */
function takeAfterWaiting(dir: string) {
  const told: number[] = [];
  let wait = () => {};
  const waiting = new Promise<void>((resolve) => {
    wait = resolve;
  });
  const lock = ProcessLock.acquire(join(dir, 'lock'), (pid) => {
    told.push(pid);
    wait();
  });
  return { told, waiting, lock };
}

describe('ProcessLock', () => {
  it('is free again after its release', async () => {
    const dir = temporaryFolder();
    for (let round = 0; round < 3; round++) {
      const lock = await ProcessLock.acquire(dir, neverWaits);
      lock.release();
    }
    expect(readdirSync(dir)).toEqual(['3']);
  });

  it('tells a second taker once whom it waits for, and comes to it when the holder dies', async () => {
    const dir = temporaryFolder();
    const holder = await startHolder(dir);
    const { told, waiting, lock } = takeAfterWaiting(dir);
    await waiting;
    holder.send('SIGKILL');
    await lock;
    expect(told).toEqual([holder.pid]);
  });

  it('stays taken while a child of a dead holder still writes', async () => {
    const dir = temporaryFolder();
    const writer = await startHolder(temporaryFolder());
    const holder = runScript(
      `const lock = await ProcessLock.acquire('lock', () => {}); lock.addWriter(${writer.pid});`,
      dir,
    );
    expect(await holder.exit).toEqual({ code: 0, signal: null });
    const { told, waiting, lock } = takeAfterWaiting(dir);
    await waiting;
    expect(told).toEqual([writer.pid]);
    writer.send('SIGKILL');
    await lock;
  });

  it.skipIf(!existsSync('/proc/self/stat'))('is not kept by a zombie', async () => {
    const dir = temporaryFolder();
    // A child that ends once a sleep has taken its shell's place, and a sleep reaps nobody.
    const child = 'until read name < /proc/$PPID/comm && [ $name = sleep ]; do :; done';
    const script = `sh -c '${child}' & echo $!; exec sleep 1000`;
    const pid = Number((await startProcess('sh', ['-c', script], { cwd: dir }).says(/\d+/))[0]);
    await vi.waitUntil(() => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '), 60_000);
    writeFileSync(join(dir, '1'), JSON.stringify([identityOf(pid)]));
    await ProcessLock.acquire(dir, neverWaits);
    expect(readdirSync(dir)).toEqual(['2']);
  });

  // Where the system does not tell a process's start time, its number is all there is.
  it.skipIf(!existsSync('/proc/self/stat'))(
    'is not kept by another process that got the number of the dead holder',
    async () => {
      const dir = temporaryFolder();
      writeFileSync(join(dir, '7'), JSON.stringify([{ ...identityOf(process.pid), started: '1' }]));
      await ProcessLock.acquire(dir, neverWaits);
      expect(readdirSync(dir)).toEqual(['8']);
    },
  );

  it('is not kept by a claim that a crash of the machine emptied', async () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, '1'), '');
    await ProcessLock.acquire(dir, neverWaits);
    expect(readdirSync(dir)).toEqual(['2']);
  });

  it('has one holder at a time when many processes take it from a dead one', async () => {
    const dir = temporaryFolder();
    mkdirSync(join(dir, 'lock'));
    const dead = await startHolder(temporaryFolder());
    writeFileSync(join(dir, 'lock', '1'), JSON.stringify([identityOf(dead.pid)]));
    await dead.stop();
    const takers = Array.from({ length: 6 }, () =>
      runScript(
        `import { appendFileSync } from 'node:fs';
         for (let round = 0; round < 20; round++) {
           while (Date.now() % 20 !== 0); // All at the same time, if the machine lets them.
           const lock = await ProcessLock.acquire('lock', () => {});
           appendFileSync('log', 'in ' + process.pid + '\\n');
           await new Promise((resolve) => setTimeout(resolve, 2));
           appendFileSync('log', 'out ' + process.pid + '\\n');
           if (round === 19) process.kill(process.pid, 'SIGKILL');
           lock.release();
         }`,
        dir,
      ),
    );
    for (const taker of takers) expect((await taker.exit).signal).toBe('SIGKILL');
    const log = readFileSync(join(dir, 'log'), 'utf8').trimEnd().split('\n');
    expect(log).toHaveLength(240);
    for (let at = 0; at < log.length; at += 2) {
      expect(log[at + 1]).toBe(log[at]?.replace('in', 'out'));
    }
  });
});
