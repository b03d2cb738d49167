/**
 * Whether a client would rather have an event stream than JSON: it names `text/event-stream` (RFC
 * 9110, section 12.5.1), and JSON with no higher quality. What only takes anything gets JSON.
 */
export function prefersEventStream(accept: string | undefined): boolean {
  // What those send that ask for a stream.
  if (accept === 'text/event-stream') return true;
  const stream = quality(accept, 'text/event-stream');
  return stream > 0 && stream >= quality(accept, 'application/json');
}

/** The quality that the header gives to a type it names; 0 for one that it does not. */
function quality(accept: string | undefined, type: string): number {
  for (const range of (accept ?? '').toLowerCase().split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim());
    if (name !== type) continue;
    const given = parameters.find((parameter) => parameter.startsWith('q='));
    return given === undefined ? 1 : Number(given.slice('q='.length)) || 0;
  }
  return 0;
}
