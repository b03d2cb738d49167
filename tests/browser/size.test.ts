import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../helpers/repository.ts';

const dist = join(repositoryRoot, 'packages', 'web', 'dist');
const read = (file: string) => readFileSync(join(dist, file), 'utf8');

/** A page and all that it names, and what those name. */
function loadedBy(page: string): string[] {
  const files = [page];
  for (const file of files) {
    const folder = file.includes('/') ? '/assets/' : '/';
    for (const [, name = ''] of read(file).matchAll(/["'(]([./][\w./-]+\.(?:js|css|svg))["')]/g)) {
      const path = new URL(name, `http://page${folder}`).pathname.slice(1);
      if (!files.includes(path)) files.push(path);
    }
  }
  return files;
}

describe('the built chat page', () => {
  it('is at most 60 KB gzipped, with its scripts and styles', () => {
    const files = loadedBy('index.html');
    const kinds = files.map((file) => file.split('.').at(-1));
    expect(new Set(kinds)).toEqual(new Set(['html', 'js', 'css', 'svg']));
    const bytes = files.reduce(
      (sum, file) => sum + gzipSync(readFileSync(join(dist, file))).length,
      0,
    );
    expect(bytes).toBeGreaterThan(5_000);
    expect(bytes).toBeLessThanOrEqual(60 * 1024);
  });
});

describe('the built pages', () => {
  it('name no address but their own', () => {
    const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /\.(html|js|css|svg)$/.test(file),
    );
    expect(files.length).toBeGreaterThanOrEqual(6);
    // Names of XML namespaces are no addresses that anything is asked of.
    const namespace =
      /http:\/\/www\.w3\.org\/(?:2000\/svg|1999\/xhtml|1998\/Math\/MathML|1999\/xlink)/g;
    for (const file of files) {
      const external = read(file)
        .replace(namespace, '')
        .match(/(?:https?:)?\/\/[a-z0-9.-]+\.[a-z]{2,}\S*/gi);
      expect(external ?? [], file).toEqual([]);
    }
  });

  it('hold no script or style of their own, which the server’s policy would refuse', () => {
    for (const page of ['index.html', 'console.html']) {
      const html = read(page);
      expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/i);
      expect([...html.matchAll(/<script\b([^>]*)>/g)].map(([, rest]) => rest)).toEqual([
        expect.stringContaining(' src="/assets/'),
      ]);
    }
  });
});
