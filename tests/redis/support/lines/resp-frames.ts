const crlf = '\r\n';

/** Cuts a stream of requests or replies, RESP 2 or 3, into whole ones. */
export class FrameReader {
  #received: Buffer = Buffer.alloc(0);

  /** @returns those that `chunk` completes */
  push(chunk: Buffer): Buffer[] {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const frames: Buffer[] = [];
    for (let end = endOfFrame(this.#received, 0); end !== undefined; ) {
      frames.push(this.#received.subarray(0, end));
      this.#received = this.#received.subarray(end);
      end = endOfFrame(this.#received, 0);
    }
    return frames;
  }
}

/** Where the frame that begins at `start` ends; undefined when that is not there yet. */
function endOfFrame(bytes: Buffer, start: number): number | undefined {
  const lineEnd = bytes.indexOf(crlf, start);
  if (lineEnd === -1) return undefined;
  const next = lineEnd + crlf.length;
  const type = String.fromCharCode(bytes[start] ?? 0);
  const count = Number(bytes.toString('latin1', start + 1, lineEnd));
  if ('$=!'.includes(type)) {
    const end = count < 0 ? next : next + count + crlf.length;
    return end <= bytes.length ? end : undefined;
  }
  if ('*~>'.includes(type)) return endOfFrames(bytes, next, count);
  if (type === '%') return endOfFrames(bytes, next, count * 2);
  // What it says is about the frame that follows it.
  if (type === '|') return endOfFrames(bytes, next, count * 2 + 1);
  return next;
}

function endOfFrames(bytes: Buffer, start: number, count: number): number | undefined {
  let end: number | undefined = start;
  for (let left = count; left > 0 && end !== undefined; left--) end = endOfFrame(bytes, end);
  return end;
}

export function isPush(frame: Buffer): boolean {
  return frame[0] === '>'.charCodeAt(0);
}

/** The bulk strings directly in an array or push; the words of a request typed by hand. */
export function wordsOf(frame: Buffer): string[] {
  if (!/^[*>]/.test(frame.toString('latin1', 0, 1))) return frame.toString().trim().split(/\s+/);
  const words: string[] = [];
  let start = frame.indexOf(crlf) + crlf.length;
  while (start < frame.length) {
    const end = endOfFrame(frame, start) ?? frame.length;
    const body = frame.indexOf(crlf, start) + crlf.length;
    if (frame[start] === '$'.charCodeAt(0)) words.push(frame.toString('utf8', body, end - 2));
    start = end;
  }
  return words;
}
