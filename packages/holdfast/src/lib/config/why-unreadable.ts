/** In words, those that a wrong setting leads to. */
const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not read it',
};

/** Why a file could not be read: the system's code, never the path. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  const reason = reasons[code];
  return reason === undefined ? code : `${code}: ${reason}`;
}
