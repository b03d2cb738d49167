import { describe, expect, it } from 'vitest';
import { FrameReader, isPush, wordsOf } from './resp-frames.ts';

const frames = [
  '+OK\r\n',
  '-ERR no\r\n',
  ':42\r\n',
  '$5\r\na\r\nb\n\r\n',
  '$0\r\n\r\n',
  '$-1\r\n',
  '*-1\r\n',
  '*0\r\n',
  '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n\r\n\r\n',
  '_\r\n',
  '#t\r\n',
  ',1.5\r\n',
  '(123456789012345678901234567890\r\n',
  '!6\r\nERR no\r\n',
  '=7\r\ntxt:yes\r\n',
  '~2\r\n:1\r\n*1\r\n:2\r\n',
  '%2\r\n+a\r\n:1\r\n+b\r\n*2\r\n_\r\n$1\r\nx\r\n',
  '|1\r\n+ttl\r\n:5\r\n$1\r\nx\r\n',
  '>3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$3\r\nyes\r\n',
  'PING\r\n',
].map((text) => Buffer.from(text));

describe('FrameReader', () => {
  it.each([1, 2, 3, 7, 1000])('cuts a stream that comes by %i bytes into its frames', (size) => {
    const reader = new FrameReader();
    const stream = Buffer.concat(frames);
    const read: string[] = [];
    for (let at = 0; at < stream.length; at += size) {
      read.push(...reader.push(stream.subarray(at, at + size)).map(String));
    }
    expect(read).toEqual(frames.map(String));
  });

  it('tells pushes and words', () => {
    expect(frames.filter(isPush)).toHaveLength(1);
    expect(wordsOf(Buffer.from('>3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n:3\r\n'))).toEqual([
      'message',
      'news',
    ]);
    expect(wordsOf(Buffer.from('GET key\r\n'))).toEqual(['GET', 'key']);
  });
});
