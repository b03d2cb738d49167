/** A server that a setting names, to be asked where the data is, cannot be reached. */
export class UnreachedServerError extends Error {
  override readonly name = 'UnreachedServerError';
  readonly server: string;
  readonly setting: string;

  /** @param server `host:port` */
  constructor(server: string, setting: string, cause: unknown) {
    super(`${server}, which ${setting} names, cannot be reached.`, { cause });
    this.server = server;
    this.setting = setting;
  }
}
