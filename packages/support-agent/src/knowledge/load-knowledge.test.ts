import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from 'holdfast';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { loadKnowledge } from './load-knowledge.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-knowledge-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const article = '# Tents\n\nDry a tent before you store it.\n';

async function load() {
  const lines: string[] = [];
  const logger = pino({}, { write: (line) => lines.push(line) });
  const knowledge = await loadKnowledge(folder, logger);
  return { knowledge, skipped: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('loadKnowledge', () => {
  it('reads the articles that come with the server', async () => {
    const knowledge = await loadKnowledge();
    expect(knowledge.articles).toBe(35);
    expect(knowledge.size).toBeGreaterThan(200);
    expect(knowledge.search('How long does a refund take?')[0]?.id).toBe(
      'refunds#how-long-a-refund-takes',
    );
  });

  it('reads the Markdown files of a folder and its subfolders, and nothing else', async () => {
    await mkdir(join(folder, 'gear'));
    await writeFile(join(folder, 'gear', 'tents.md'), article);
    await writeFile(join(folder, 'notes.txt'), '# Boots\n\nWax them.\n');
    const { knowledge, skipped } = await load();
    expect(knowledge.search('store a tent').map(({ id }) => id)).toEqual(['gear/tents#tents']);
    expect(knowledge.search('wax boots')).toEqual([]);
    expect(skipped).toEqual([]);
  });

  it('leaves hidden files and folders to the programs that they belong to', async () => {
    await writeFile(join(folder, 'good.md'), article);
    await writeFile(join(folder, '.draft.md'), '# Draft\n\nWax boots.\n');
    await mkdir(join(folder, '.trash'));
    await writeFile(join(folder, '.trash', 'old.md'), '# Old\n\nWax boots.\n');
    await symlink('nobody@nowhere', join(folder, '.#good.md'));
    const { knowledge, skipped } = await load();
    expect(knowledge.size).toBe(1);
    expect(skipped).toEqual([]);
  });

  it('neither reads what is no file nor follows a link around in a circle', async () => {
    await writeFile(join(folder, 'good.md'), article);
    await mkdir(join(folder, 'folder.md'));
    await symlink('.', join(folder, 'round'));
    await symlink('/dev/zero', join(folder, 'endless.md'));
    const socket = createServer().listen(join(folder, 'socket.md'));
    onTestFinished(() => void socket.close());
    await once(socket, 'listening');
    const { knowledge, skipped } = await load();
    expect(knowledge.size).toBe(1);
    expect(skipped.map(({ file, reason }) => [file, reason])).toEqual([
      ['endless.md', 'not a file'],
      ['socket.md', 'not a file'],
    ]);
  });

  it('skips a binary, an oversized, a non-UTF-8 and an empty file, and says so', async () => {
    await writeFile(join(folder, 'good.md'), article);
    await writeFile(join(folder, 'binary.md'), Buffer.from([0x23, 0x20, 0x00, 0x01]));
    await writeFile(join(folder, 'huge.md'), '#'.repeat(1024 * 1024 + 1));
    await writeFile(join(folder, 'latin1.md'), Buffer.from([0x23, 0x20, 0xe9]));
    await writeFile(join(folder, 'void.md'), ' \n');
    const { knowledge, skipped } = await load();
    expect(knowledge.size).toBe(1);
    expect(skipped.map(({ file, reason }) => [file, reason])).toEqual([
      ['binary.md', 'a binary file'],
      ['huge.md', '1048577 bytes, more than 1048576'],
      ['latin1.md', 'not UTF-8 text'],
      ['void.md', 'no text'],
    ]);
  });

  it('skips a file of 50 MB without reading it', async () => {
    await writeFile(join(folder, 'good.md'), article);
    await writeFile(join(folder, 'huge.md'), article);
    await truncate(join(folder, 'huge.md'), 50 * 1024 * 1024);
    const { skipped } = await load();
    expect(skipped).toMatchObject([{ reason: '52428800 bytes, more than 1048576' }]);
  });

  it('refuses a folder of more than 5,000 articles, which somebody chose by mistake', async () => {
    const names = Array.from({ length: 5_001 }, (_, index) => join(folder, `${index}.md`));
    await Promise.all(names.slice(1).map((name) => writeFile(name, article)));
    expect((await load()).knowledge.articles).toBe(5_000);
    await writeFile(names[0] ?? '', article);
    const failure = load();
    await expect(failure).rejects.toThrow(ConfigError);
    await expect(failure).rejects.toThrow(/holds more than 5000 Markdown files\. Put/);
  });

  it('refuses a folder of more than 32 MB', async () => {
    for (let index = 0; index < 33; index += 1) {
      await writeFile(join(folder, `${index}.md`), article);
      await truncate(join(folder, `${index}.md`), 1024 * 1024);
    }
    await expect(load()).rejects.toThrow(
      /holds 34603008 bytes of articles, more than 33554432\. Put/,
    );
  });

  it.each([
    ['missing', () => join(folder, 'nowhere'), /there is no folder .*nowhere\. Put Markdown files/],
    ['empty', () => folder, /no article was found in .* Put Markdown files/],
    ['a file', () => join(folder, 'file'), /file is not a folder\. Put Markdown files/],
  ])('refuses a folder that is %s with what to do about it', async (_, path, message) => {
    await writeFile(join(folder, 'file'), '');
    const failure = loadKnowledge(path());
    await expect(failure).rejects.toThrow(ConfigError);
    await expect(failure).rejects.toThrow(message);
  });
});
