/** Headers as web frameworks (`Headers`) and as Node (a record, lower case) have them. */
export type HeaderSource =
  | Pick<Headers, 'get'>
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** One header's value; several of one name are joined by commas (RFC 9110, section 5.3). */
export function readHeader(headers: HeaderSource, name: string): string | undefined {
  if (isHeaders(headers)) return headers.get(name) ?? undefined;
  const value = headers[name];
  return typeof value === 'string' ? value : value?.join(',');
}

function isHeaders(headers: HeaderSource): headers is Pick<Headers, 'get'> {
  return typeof headers.get === 'function';
}
