/** What one check has found. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly message: string;
  /** What to do; absent where nothing is to be done, or the message says it. */
  readonly remedy?: string;
}

export const ok = (check: string, message: string): Finding => ({ check, status: 'ok', message });
export const skipped = (check: string, message: string): Finding => ({
  ...{ check, status: 'skipped', message },
});
export const warning = (check: string, message: string, remedy?: string): Finding => ({
  ...{ check, status: 'warning', message },
  ...(remedy === undefined ? {} : { remedy }),
});
export const failed = (check: string, message: string, remedy?: string): Finding => ({
  ...{ check, status: 'failed', message },
  ...(remedy === undefined ? {} : { remedy }),
});
