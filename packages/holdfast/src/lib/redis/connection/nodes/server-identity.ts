import { type RedisConnection, RedisReplyError } from '../redis-connection.ts';

interface ServerIdentity {
  /**
   * Of the process at a connection's end and the history of writes that it goes on with: another name, after
   * a failover or a restart, means that the newest writes may be missing there.
   */
  readonly name: string;
  /** What it follows is another's history; one of its own begins, under another name, when it takes over. */
  readonly isReplica: boolean;
}

/**
 * Which server is at a connection's end. `null` where the user may not ask.
 * @throws ConnectionLostError
 */
export async function identifyServer(connection: RedisConnection): Promise<ServerIdentity | null> {
  try {
    const [server, replication] = await Promise.all([
      connection.send(['INFO', 'server']),
      connection.send(['INFO', 'replication']),
    ]);
    const run = /^run_id:(\w+)/m.exec(String(server))?.[1];
    const history = /^master_replid:(\w+)/m.exec(String(replication))?.[1];
    // A process that never followed another one has one history, though its first replica renames it.
    const isFirst = /^master_replid2:0+\r?$/m.test(String(replication));
    const isReplica = /^role:slave\r?$/m.test(String(replication));
    if (run === undefined || history === undefined) return null;
    return { name: `${run}/${isFirst ? 0 : history}`, isReplica };
  } catch (error) {
    const failure = connection.explain(error);
    if (failure instanceof RedisReplyError) return null;
    throw failure;
  }
}
