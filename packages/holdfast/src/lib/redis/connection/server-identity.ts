import type { RedisConnection } from './redis-connection.ts';

/**
 * Names the process at a connection's end and the history of writes that it goes on with: another
 * name, after a failover or a restart, means that the newest writes may be missing there. `null` where
 * the user may not ask.
 */
export async function identifyServer(connection: RedisConnection): Promise<string | null> {
  try {
    const [server, replication] = await Promise.all([
      connection.send(['INFO', 'server']),
      connection.send(['INFO', 'replication']),
    ]);
    const run = /^run_id:(\w+)/m.exec(String(server))?.[1];
    const history = /^master_replid:(\w+)/m.exec(String(replication))?.[1];
    if (run !== undefined && history !== undefined) return `${run}/${history}`;
  } catch (error) {
    connection.explain(error);
  }
  return null;
}
