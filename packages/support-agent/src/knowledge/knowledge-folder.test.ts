import { renameSync } from 'node:fs';
import {
  appendFile,
  mkdir,
  mkdtemp,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from 'holdfast';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type KnowledgeFolderOptions, openKnowledge } from './knowledge-folder.ts';

const boots = '# Boots\n\nWax them.\n';
const tents = '# Tents\n\nDry a tent before you store it.\n';

let parent: string;
let folder: string;
let lines: Record<string, unknown>[];
let onLine: (line: Record<string, unknown>) => void;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'holdfast-reload-'));
  folder = join(parent, 'articles');
  await mkdir(folder);
  await writeFile(join(folder, 'boots.md'), boots);
  lines = [];
  onLine = () => {};
});

afterEach(async () => {
  await rm(parent, { recursive: true });
});

async function open(options?: KnowledgeFolderOptions) {
  const write = (text: string) => {
    const line = JSON.parse(text);
    lines.push(line);
    onLine(line);
  };
  const logger = pino({}, { write });
  const knowledge = await openKnowledge(folder, logger, options);
  onTestFinished(() => knowledge.close());
  const find = (question: string) => knowledge.search(question).map(({ id }) => id);
  return {
    knowledge,
    find,
    found: (question: string, ...ids: string[]) =>
      until(() => find(question).join() === ids.join()),
  };
}

function until(condition: () => boolean): Promise<boolean> {
  return vi.waitUntil(condition, { timeout: 60_000, interval: 20 });
}

function logged(message: string) {
  return lines.filter(({ msg }) => msg === message);
}

const reloaded = () => logged('knowledge reloaded');
const kept = () => logged('knowledge not reloaded: the articles of before stay');

describe('openKnowledge', () => {
  it('searches files as they are written, renamed and removed, and logs what there is', async () => {
    const { knowledge, found } = await open();
    expect(logged('knowledge loaded')).toMatchObject([{ articles: 1, sections: 1 }]);
    await writeFile(join(folder, 'tents.md'), `${tents}\n## Poles\n\nBend no pole.\n`);
    await found('bend a pole', 'tents#poles');
    expect(reloaded().at(-1)).toMatchObject({ articles: 2, sections: 3 });
    await rename(join(folder, 'tents.md'), join(folder, 'camping.md'));
    await found('bend a pole', 'camping#poles');
    await rm(join(folder, 'camping.md'));
    await found('bend a pole');
    expect(knowledge.size).toBe(1);
  });

  it('takes a file that an editor puts in the place of the old one', async () => {
    const { found } = await open();
    await writeFile(join(folder, '.boots.md.tmp'), '# Boots\n\nOil them.\n');
    await rename(join(folder, '.boots.md.tmp'), join(folder, 'boots.md'));
    await found('oil', 'boots#boots');
    await found('wax');
  });

  it('has a file whole that is written piece by piece', async () => {
    const { knowledge, find } = await open();
    const file = join(folder, 'long.md');
    await writeFile(file, '# Long\n');
    for (let part = 1; part <= 50; part += 1)
      await appendFile(file, `\n## Part ${part}\n\nText.\n`);
    await until(() => knowledge.size === 51);
    expect(find('part 50')[0]).toBe('long#part-50');
  });

  it('takes nothing of what changes while it is read: an article would be in it twice, or missing', async () => {
    const { found } = await open({ pollMs: 20 });
    let moved = false;
    onLine = ({ file }) => {
      // The next one in order was found before, and is not read yet.
      if (file !== 'a.md' || moved) return;
      moved = true;
      renameSync(join(folder, 'boots.md'), join(folder, 'a-boots.md'));
    };
    await writeFile(join(folder, 'tents.md'), tents);
    await writeFile(join(folder, 'a.md'), '');
    await found('wax', 'a-boots#boots');
    expect(moved).toBe(true);
    expect(reloaded().map(({ articles }) => articles)).toEqual([2]);
  });

  it('watches folders that come later', async () => {
    const { found } = await open({ pollMs: 3_600_000 });
    const gear = join(folder, 'gear', 'new');
    await mkdir(gear, { recursive: true });
    await writeFile(join(gear, 'tents.md'), tents);
    await found('store a tent', 'gear/new/tents#tents');
    await writeFile(join(gear, 'tents.md'), '# Tents\n\nMend it.\n');
    await found('mend', 'gear/new/tents#tents');
  });

  it('sees by looking what the system does not tell', async () => {
    const elsewhere = join(parent, 'elsewhere.md');
    await writeFile(elsewhere, tents);
    await symlink(elsewhere, join(folder, 'linked.md'));
    const { found } = await open({ pollMs: 20 });
    await writeFile(elsewhere, '# Tents\n\nMend it.\n');
    await found('mend', 'linked#tents');
  });

  it('outlives its folder: the articles stay until there are others', async () => {
    const { knowledge, find, found } = await open({ pollMs: 20 });
    await rename(folder, join(parent, 'away'));
    await until(() => kept().length > 0);
    expect(kept()).toMatchObject([
      { reason: expect.stringMatching(/there is no folder .*articles/) },
    ]);
    expect(find('wax')).toEqual(['boots#boots']);
    await mkdir(folder);
    await until(() => kept().length > 1);
    expect(kept()[1]).toMatchObject({ reason: expect.stringMatching(/no article was found/) });
    expect(find('wax')).toEqual(['boots#boots']);
    await writeFile(join(folder, 'tents.md'), tents);
    await found('store a tent', 'tents#tents');
    expect(knowledge.size).toBe(1);
    // The folder of now is the one that is watched.
    await writeFile(join(folder, 'boots.md'), boots);
    await found('wax', 'boots#boots');
  });

  it('leaves out a file of 50 MB and a binary one that come while it runs, and says so', async () => {
    const { found } = await open({ pollMs: 20 });
    await writeFile(join(folder, 'huge.md'), '# Huge');
    await truncate(join(folder, 'huge.md'), 50 * 1024 * 1024);
    await writeFile(join(folder, 'binary.md'), Buffer.from([0x23, 0x20, 0x00, 0x01]));
    await writeFile(join(folder, 'tents.md'), tents);
    await found('store a tent', 'tents#tents');
    await found('wax', 'boots#boots');
    expect(reloaded().at(-1)).toMatchObject({ articles: 2 });
    expect(logged('knowledge file skipped').slice(-2)).toMatchObject([
      { file: 'binary.md', reason: 'a binary file' },
      { file: 'huge.md', reason: '52428800 bytes, more than 1048576' },
    ]);
  });

  it('keeps the articles of before when the folder holds too much', async () => {
    const { find } = await open();
    for (let file = 0; file < 33; file += 1) {
      const path = join(folder, `${file}.md`);
      await writeFile(path, '# Large');
      await truncate(path, 1024 * 1024);
    }
    await until(() => kept().some(({ reason }) => /more than 33554432/.test(String(reason))));
    expect(find('wax')).toEqual(['boots#boots']);
  });

  it('reads nothing any more once it is closed', async () => {
    const closed = await open({ pollMs: 20 });
    await closed.knowledge.close();
    const other = await open({ pollMs: 20 });
    await writeFile(join(folder, 'tents.md'), tents);
    await other.found('store a tent', 'tents#tents');
    await writeFile(join(folder, 'tents.md'), '# Tents\n\nMend it.\n');
    await other.found('mend', 'tents#tents');
    expect(closed.find('store a tent')).toEqual([]);
    expect(closed.find('wax')).toEqual(['boots#boots']);
  });

  it('does not open a folder without articles', async () => {
    await rm(join(folder, 'boots.md'));
    await expect(open()).rejects.toThrow(ConfigError);
  });
});
