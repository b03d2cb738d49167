import { describe, expect, it } from 'vitest';
import type { MigrationResult } from '../migration/python-v2/migration.ts';
import { asJson, asText, failures } from './migrate-report.ts';

const none = { new: 0, changed: 0, unchanged: 0, ended: 0, committed: 0, deleted: 0, exists: 0 };
const empty: MigrationResult = {
  found: 0,
  counts: { ...none, expired: 0, failed: 0 },
  kept: { committed: [], deleted: [], exists: [] },
  failed: [],
  removed: 0,
};
const dry = { apply: false, remove: false };

describe('the report of a migration', () => {
  it('says of a dry run that nothing was changed', () => {
    expect(asText(empty, dry)).toBe(
      '0 sessions found.\n  0 to import\nNothing was changed. With --apply it is done.\n',
    );
    expect(failures(empty)).toBe('');
  });

  it('counts each kind that there is, and names what is kept', () => {
    const result = {
      ...empty,
      found: 1_210,
      counts: { ...empty.counts, new: 1_200, changed: 7, committed: 1, exists: 2 },
      kept: { committed: ['a'], deleted: [], exists: ['b', 'c'] },
      removed: 1,
    };
    expect(asText(result, { apply: true, remove: true })).toBe(
      `1,210 sessions found.
  1,200 imported
      7 changed since their import, imported again
      1 changed since, and so in Holdfast: kept as they are there
      2 not imported: Holdfast has sessions of these ids
Changed since, and so in Holdfast: kept as they are there:
  a
Not imported: Holdfast has sessions of these ids:
  b
  c
1 original deleted.
`,
    );
  });

  it('fits 80 columns, names 100 of a kind, and shows no control characters', () => {
    const reason = 'is what nobody can read, and this goes on '.repeat(4).trim();
    const ids = Array.from({ length: 250 }, (_, n) => `s-${n}`);
    const failed = ['\u001b[2J', ...ids].map((id) => ({ id, reason }));
    const text = failures({ ...empty, failed });
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(text).toContain('251 sessions failed:\n"\\u001b[2J"\n  is what');
    expect(text).toContain('  and 151 more: --json names all\n');
    expect(text).not.toContain('\u001b');
    const kept = { ...empty.kept, exists: ids };
    expect(asText({ ...empty, kept }, dry)).toContain('  s-99\n  and 150 more');
    expect(JSON.parse(asJson({ ...empty, kept, failed }, dry))).toMatchObject({
      ...{ applied: false, deleting: false, kept },
      failed,
    });
  });
});
