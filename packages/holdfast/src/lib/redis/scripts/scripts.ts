import { defineScript, type Script } from '../connection/script.ts';
import begin from './begin.lua';
import create from './create.lua';
import hit from './hit.lua';
import imports from './import.lua';
import keep from './keep.lua';
import leave from './leave.lua';
import live from './live.lua';
import messages from './messages.lua';
import newsOf from './news.lua';
import expiry from './parts/expiry.lua';
import handOver from './parts/hand-over.lua';
import header from './parts/header.lua';
import liveOutput from './parts/live-output.lua';
import news from './parts/news.lua';
import outcomes from './parts/outcomes.lua';
import recentWrites from './parts/recent-writes.lua';
import removal from './parts/removal.lua';
import read from './read.lua';
import rekey from './rekey.lua';
import remove from './remove.lua';
import touch from './touch.lua';
import user from './user.lua';
import write from './write.lua';

const parts = new Map([
  ['header', header],
  ['expiry', expiry],
  ['outcomes', outcomes],
  ['live-output', liveOutput],
  ['hand-over', handOver],
  ['removal', removal],
  ['recent-writes', recentWrites],
  ['news', news],
]);

/** A script with the parts that its first line names, in front of it: Redis knows no other way. */
function script(name: string, text: string): Script {
  const names = /^-- uses: (.*)$/m.exec(text)?.[1]?.split(' ') ?? [];
  const used = names.map((part) => {
    const source = parts.get(part);
    if (source === undefined) throw new Error(`The script ${name} uses an unknown part, ${part}.`);
    return source;
  });
  return defineScript(name, foldIndices([...used, text].join('\n')));
}

/**
 * Puts the numbers of the header's values where their names stand. As local variables of the script
 * they would be captured by every function that uses them, which costs more than what those do.
 */
function foldIndices(source: string): string {
  const declaration = /^local (INC, V, [A-Z, ]+) =\n((?: +[0-9]+,? +--.*\n)+)/m.exec(source);
  if (declaration === null) return source;
  const names = declaration[1]?.split(', ') ?? [];
  const numbers = [...(declaration[2] ?? '').matchAll(/^ +([0-9]+)/gm)].map(([, number]) => number);
  const indices = new Map(names.map((name, at) => [name, numbers[at]]));
  return source
    .replace(declaration[0], '')
    .replace(/\[([A-Z]{1,3})\]/g, (whole, name: string) =>
      indices.has(name) ? `[${indices.get(name)}]` : whole,
    );
}

/** Every atomic operation on Redis. */
export const scripts = {
  begin: script('begin', begin),
  create: script('create', create),
  hit: script('hit', hit),
  import: script('import', imports),
  keep: script('keep', keep),
  leave: script('leave', leave),
  live: script('live', live),
  messages: script('messages', messages),
  news: script('news', newsOf),
  read: script('read', read),
  rekey: script('rekey', rekey),
  remove: script('remove', remove),
  touch: script('touch', touch),
  user: script('user', user),
  write: script('write', write),
};
