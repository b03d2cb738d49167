/** Where a server is, as others name it. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

export function nameOf({ host, port }: Place): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** `host:port`, or `[v6]:port`. @returns null for anything else */
export function parsePlace(text: string): Place | null {
  const [, v6, name, digits] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/@]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = v6 ?? name;
  const port = Number(digits);
  return host === undefined || port < 1 || port > 65_535 ? null : { host, port };
}
