import { describe, expect, it } from 'vitest';
import { chunkMarkdown, maxChunkLength } from './chunk-markdown.ts';

describe('chunkMarkdown', () => {
  it('makes a chunk of each section, with the article’s title and an id from its heading', () => {
    const chunks = chunkMarkdown(
      'help/returns',
      '# Returns\n\nIntro.\n\n## What it costs ##\n\n£3.',
    );
    expect(chunks).toEqual([
      { id: 'help/returns#returns', title: 'Returns', heading: 'Returns', text: 'Intro.' },
      { id: 'help/returns#what-it-costs', title: 'Returns', heading: 'What it costs', text: '£3.' },
    ]);
  });

  it('takes no line of a code fence for a heading, and ends a fence only with its own marker', () => {
    const chunks = chunkMarkdown(
      'a',
      '# A\n````sh\n# no heading\n```\n## nor this\n````\n## B\nyes',
    );
    expect(chunks.map((chunk) => chunk.heading)).toEqual(['A', 'B']);
    expect(chunks[0]?.text).toContain('# no heading');
  });

  it('takes a line that is underlined for a heading, but no row of a table and no end of a paragraph', () => {
    const chunks = chunkMarkdown(
      'a',
      'Returns\n=======\nIntro.\n\nWhat it costs\n---\n£3.\n\n---\n\n| a |\n|---|\n\nOne\ntwo.\n---\n- x\n---',
    );
    expect(chunks.map(({ title, heading, text }) => [title, heading, text.split('\n')[0]])).toEqual(
      [
        ['Returns', 'Returns', 'Intro.'],
        ['Returns', 'What it costs', '£3.'],
      ],
    );
    expect(chunks[1]?.text).toBe('£3.\na\nOne two.\n- x');
  });

  it('leaves out what site generators put above an article, but for its title', () => {
    const chunk = { heading: 'Costs', text: '£3.' };
    const above = '---\ntitle: "Returns: how"\ntags:\n  - a\n---\n';
    expect(chunkMarkdown('a', `${above}## Costs\n£3.`)).toMatchObject([
      { title: 'Returns: how', ...chunk },
    ]);
    expect(chunkMarkdown('a', `${above.replaceAll('\n', '\r\n')}# B\n## Costs\n£3.`)).toMatchObject(
      [{ title: 'B', ...chunk }],
    );
    expect(chunkMarkdown('a', '---\nlayout: x\n---\n## Costs\n£3.')).toMatchObject([
      { title: 'a', ...chunk },
    ]);
    expect(chunkMarkdown('a', '---\n# x\n\ntitle: >-\n  B\n---\n## Costs\n£3.')).toMatchObject([
      { title: 'B', ...chunk },
    ]);
  });

  it.each([
    ['after an empty line', '---\n\nStays: here.\n\n---\nText.'],
    ['that is no YAML', '---\nStays: here.\nText.\n\n## Hours\nFrom 9.\n\n---\nText.'],
    ['without an end', '---\nStays: here.\n\n--- x\nText.'],
    ['without a key', '---\n# Stays: here.\n---\nText.'],
    ['of more than any generator reads', `---\nStays: here.\n${'a: b\n'.repeat(4_000)}---\nText.`],
  ])('leaves out nothing below a first line of dashes %s', (_, article) => {
    const [chunk] = chunkMarkdown('a', article);
    expect(`${chunk?.heading} ${chunk?.text}`).toContain('Stays: here.');
  });

  it.each([
    ['a sentence', 'This is x.'],
    ['a list', '- x'],
    ['a quotation', '>x'],
    ['a row of a table', '|x|'],
    ['indented code', '    x'],
    ['code', '~~~\nx'],
  ])('takes %s above a line of dashes for no heading', (_, block) => {
    const chunks = chunkMarkdown('a', `# A\n\n${block}\n---\n`);
    expect(chunks).toMatchObject([{ heading: 'A', text: expect.stringContaining('x') }]);
  });

  it.each([
    ["'Returns: how'   # for the site", 'Returns: how'],
    ['"Size # 5"', 'Size # 5'],
    ['"Sizes" # "S" to "XL"', 'Sizes'],
    ['Returns # for the site', 'Returns'],
    ['C# and F#', 'C# and F#'],
    ['# for the site', 'a'],
    ['404', '404'],
    ['Returns: how', 'a'],
    ['[Returns]', 'a'],
  ])('reads the title %s as YAML does', (title, expected) => {
    const [chunk] = chunkMarkdown('a', `---\ntitle: ${title}\n---\ntext`);
    expect(chunk?.title).toBe(expected);
  });

  it('says each row of a table with the names of its columns, and none of its marks', () => {
    const [chunk] = chunkMarkdown(
      'a',
      [
        '# A',
        'What it costs:',
        '| Service | Takes | Price |',
        '|:--------|:-----:|--------:|',
        '| Standard | 3 to 5 days | **£4** |',
        '| Next day | | `£9` \\| free over £99 |',
        '',
        'Not on Sundays.',
        '',
        '| | S |',
        '--- | ---',
        'Chest | 90 cm',
        '',
        'Either | or',
        '',
        '| no | table |',
      ].join('\n'),
    );
    expect(chunk?.text.split('\n')).toEqual([
      'What it costs:',
      'Service: Standard · Takes: 3 to 5 days · Price: £4',
      'Service: Next day · Price: £9 | free over £99',
      'Not on Sundays.',
      'Chest · S: 90 cm',
      'Either | or',
      '| no | table |',
    ]);
  });

  it('says what quotations say, without their marks', () => {
    const [chunk] = chunkMarkdown(
      'a',
      '# A\nAs we say:\n> A parcel takes\n> three days.\n>\n>> - Not\n>>   on Sundays.\n\n> [!NOTE]\n> ## In short ##\n> | a |\n> |---|\n> | 1 |\n> ```\n> x > y',
    );
    expect(chunk?.text).toBe(
      'As we say:\nA parcel takes three days.\n- Not on Sundays.\nIn short\na: 1\nx > y',
    );
  });

  it('joins wrapped lines of a paragraph and keeps list items apart', () => {
    const [chunk] = chunkMarkdown(
      'a',
      '# A\nOne\ntwo.\n\n- first\n  goes on\n- second\r\n1. third',
    );
    expect(chunk?.text).toBe('One two.\n- first goes on\n- second\n1. third');
  });

  it('keeps the words of links, images and emphasis and drops their marks', () => {
    const [chunk] = chunkMarkdown(
      'a',
      '# A\nSee [the **list**](/list), ![a map](m.png) and `FF-1`.',
    );
    expect(chunk?.text).toBe('See the list, a map and FF-1.');
  });

  it.each([
    ['*now* or _later_', 'now or later'],
    ['5 \\* 3 &amp; 2 * 2', '5 * 3 & 2 * 2'],
    ['[the list][l]\n\n[l]: /list', 'the list'],
    ['<b>Free</b> <https://a.example>', '<b>Free</b> https://a.example'],
    ['12 High Street  \nBristol\\\nBS1', '12 High Street\nBristol\nBS1'],
    ['- one\n  1. two\n\n     more\n- three', '- one\n1. two\nmore\n- three'],
    ['-\n\ntext', 'text'],
    ['[A map](data:image/svg+xml;base64,PHN2Zz4=)', 'A map'],
  ])('reads %j as CommonMark does', (written, text) => {
    expect(chunkMarkdown('a', `# A\n${written}`)[0]?.text).toBe(text);
  });

  it('says of what is struck out that it is', () => {
    const [chunk] = chunkMarkdown('a', '# A\n~~A return costs £5.~~ A return is free.');
    expect(chunk?.text).toBe('~~A return costs £5.~~ A return is free.');
  });

  it.each([
    ['| Free returns | for all |\n|---|---|\n| | |', 'Free returns · for all'],
    ['| S | Sold out |\n|---|---|\n| 90 cm | |', 'Sold out\nS: 90 cm'],
    ['| Day | Hours |\n|---|---|\n| Monday | 9–12<br>14–17 |', 'Day: Monday · Hours: 9–12 14–17'],
  ])('says all that the table %j says', (table, text) => {
    expect(chunkMarkdown('a', `# A\n${table}`)[0]?.text).toBe(text);
  });

  it.each([
    [':::note\nFree.\n:::', 'Free.'],
    [':::tip[By *post*]\n\nFree.\n\n:::\nMore.', 'By post\nFree.\nMore.'],
    ['Before:\n::: warning Not on Sundays.\n- one\n:::', 'Before:\nNot on Sundays.\n- one'],
    ['> [!NOTE]  \n> Free.', 'Free.'],
  ])('says what the box %j says, without its marks', (box, text) => {
    expect(chunkMarkdown('a', `# A\n${box}`)[0]?.text).toBe(text);
  });

  it.each([
    ['One <!-- not *yet* -->two.', 'One two.'],
    ['<!-- price?\n\n## Old\n£3\n-->\nFree.', 'Free.'],
    ['<!-- x --> Free.', 'Free.'],
    ['<!-- x | y\n|---|---|\n--- -->\nFree.', 'Free.'],
    ['- <!-- x -->one', '- one'],
    ['<!-- Free.\n\nMore.', '<!-- Free.\nMore.'],
    ['<!-->\nFree.', '<!--> Free.'],
    ['    <!-- x -->', '<!-- x -->'],
    ['`<!-- x -->`', '<!-- x -->'],
  ])('takes only a comment for one: %j', (written, text) => {
    const chunks = chunkMarkdown('a', `# A\n${written}`);
    expect(chunks.map((chunk) => chunk.text)).toEqual([text]);
  });

  it('says what a footnote says, also where that is a single word', () => {
    const [chunk] = chunkMarkdown('a', '# A\nIt costs £3[^1].\n\n[^1]: Excluded.\n\n- [^2]: /p');
    expect(chunk?.text).toBe('It costs £3[^1].\n[^1]: Excluded.\n- [^2]: /p');
  });

  it('reads a heading as one line, without the name for links to it', () => {
    const [chunk] = chunkMarkdown('a', '# A\n## [By *post*](/p) <br> or `van` {#by-post}\ntext');
    expect(chunk).toMatchObject({ id: 'a#by-post-or-van', heading: 'By post   or van' });
  });

  it.each([
    ['+++\ntitle = "Returns: \\"how\\"" # x\n[menu]\ntags = [\n  "a"\n]\n+++\n', 'Returns: "how"'],
    ["+++ \ndraft = false\ntitle = 'Returns'\n+++\n", 'Returns'],
    ['+++\ndate = 2026-01-01\n+++\n', 'a'],
  ])('leaves out TOML above an article, but for its title', (above, title) => {
    expect(chunkMarkdown('a', `${above}Free.`)).toMatchObject([{ title, text: 'Free.' }]);
  });

  it.each([
    '+++\nx = 1\nStays: here.\n+++\n',
    '+++\nStays: here.\n',
    '+++\n\nStays: here.\nx = 1\n+++\n',
  ])('leaves out nothing between plus signs that are no TOML: %j', (above) => {
    expect(chunkMarkdown('a', above)[0]?.text).toContain('Stays: here.');
  });

  it('leaves out empty sections and titles an article without a title by its id', () => {
    expect(chunkMarkdown('faq', '## Empty\n\n## Full\ntext')).toEqual([
      { id: 'faq#full', title: 'faq', heading: 'Full', text: 'text' },
    ]);
    expect(chunkMarkdown('nothing', '\n \n')).toEqual([]);
  });

  it('reads a heading of a megabyte as fast as any other line', () => {
    const [chunk] = chunkMarkdown('a', `# A${' '.repeat(500_000)}x${' #'.repeat(250_000)}\ntext`);
    expect(chunk?.text).toBe('text');
  });

  it.each([
    ['a title', `---\ntitle: ${' '.repeat(1_000_000)}x\n---\ntext`],
    ['what may be YAML', `---\na:${'\n--- x'.repeat(200_000)}\n\n# A\ntext`],
    ['what may be an underline', `# A\nx\n${'-'.repeat(1_000_000)} x\n\ntext`],
    ['tables', `# A\n${'|a|\n|-|\n\n'.repeat(100_000)}text`],
    ['what may be a table', `# A\n${'|a|\n'.repeat(200_000)}text`],
    ['what may be a row', `# A\n|a|\n|-|\n${'\\|'.repeat(500_000)}\n\ntext`],
    ['what may be a delimiter', `# A\n|a|\n|${'-'.repeat(1_000_000)} x|\n\ntext`],
    ['comments without an end', `# A\n${'<!--\n\n'.repeat(170_000)}text`],
    ['a line of comments without an end', `# A\n${'<!--'.repeat(250_000)}\n\ntext`],
    ['comments', `# A\n${'<!-- -->\n\n'.repeat(100_000)}text`],
    ['boxes', `# A\n${':::\n'.repeat(250_000)}text`],
    ['a deep quotation', `# A\n${'> '.repeat(500_000)}x\n\ntext`],
    ['a title of quotation marks', `---\ntitle: "${'" '.repeat(500_000)}x\n---\ntext`],
  ])('reads %s of a megabyte as fast as any other line', (_, article) => {
    expect(chunkMarkdown('a', article).at(-1)?.text).toMatch(/text$/);
  });

  it('gives sections of the same heading ids of their own', () => {
    const ids = chunkMarkdown('a', '# A\n## B\none\n## B\ntwo\n## !\nthree').map(({ id }) => id);
    expect(ids).toEqual(['a#b', 'a#b-2', 'a#section']);
  });

  it('gives each of many sections of one heading an id of its own', () => {
    const ids = chunkMarkdown('a', '# a\nb\n'.repeat(50_000)).map(({ id }) => id);
    expect(new Set(ids).size).toBe(50_000);
  });

  it.each([
    ['lines', '- One fine day.\n'],
    ['sentences', 'One fine day. '],
    ['words', 'fine '],
    ['nothing to cut at', 'x'],
  ])('cuts a section of a megabyte of %s into several, and loses nothing', (_, piece) => {
    const text = piece.repeat(Math.ceil(1_000_000 / piece.length));
    const chunks = chunkMarkdown('a', `# A\n## B\n${text}`);
    expect(Math.max(...chunks.map((chunk) => chunk.text.length))).toBeLessThanOrEqual(
      maxChunkLength,
    );
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(chunks.length);
    const whole = (said: string) => said.replace(/\s/g, '');
    expect(whole(chunks.map((chunk) => chunk.text).join(''))).toBe(whole(text));
  });
});
