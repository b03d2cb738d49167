/** Why the server could not start, in a sentence for whoever started it. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** What kept a server from listening, where it is something to put right from outside. */
export function listenError(cause: unknown, host: string, port: number): unknown {
  const sentence = sentences[codeOf(cause)];
  return sentence === undefined ? cause : new StartError(sentence(host, port), { cause });
}

const sentences: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (_, port) =>
    `Port ${port} is in use; stop the other process or start with API_PORT=${port < 65_535 ? port + 1 : 8000} npm start.`,
  EACCES: (_, port) =>
    `This user may not listen on port ${port}; start with API_PORT=8000 npm start.`,
  EADDRNOTAVAIL: unknownHost,
  ENOTFOUND: unknownHost,
  EAI_AGAIN: unknownHost,
};

function unknownHost(host: string): string {
  return `API_HOST=${host} is not an address of this machine; leave it out, or use 127.0.0.1 or 0.0.0.0.`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
