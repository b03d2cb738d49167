import { scripts } from '../../../packages/holdfast/src/lib/redis/scripts/scripts.ts';

/** For a proxy: whether the request on the wire calls this script, with these words among its own. */
export function callOf(
  name: keyof typeof scripts,
  ...words: readonly string[]
): (request: Buffer) => boolean {
  const parts = [scripts[name].sha1, ...words.map((word) => `\r\n${word}\r\n`)];
  return (request) => parts.every((part) => request.includes(part));
}
