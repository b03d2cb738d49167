import { ConfigError } from '../../../errors/errors.ts';
import { nameOf, type Place, parsePlace } from '../place.ts';
import type { Password, RedisAddress } from '../redis-address.ts';

/** Where the servers are found, when they are not just one at one address. */
export type Topology =
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly RedisAddress[];
      /** The name of the primary at the sentinels. */
      readonly master: string;
      readonly translate: Translate;
    }
  | {
      readonly kind: 'cluster';
      readonly roots: readonly Place[];
      readonly translate: Translate;
    };

/** Where a server is for this process, when others name it so. */
export type Translate = (place: Place) => Place;

/** Where the servers are, when `url` does not name just one. */
export interface TopologyOptions {
  /**
   * The sentinels that know where the primary is, as `host:port`, and its name there. Of `url` only
   * user, password, database and whether it is `rediss://` count then, for the primary and, but for
   * user and password, for the sentinels.
   */
  readonly sentinel?:
    | {
        readonly nodes: readonly string[];
        readonly master: string;
        /** The sentinels' own, if they ask for one. */
        readonly password?: Password | undefined;
      }
    | undefined;
  /**
   * Some nodes of a Redis Cluster (7.0 or newer), as `host:port`; the others are learned from them. Of
   * `url` only user, password and whether it is `rediss://` count then, for all nodes.
   */
  readonly cluster?: { readonly nodes: readonly string[] } | undefined;
  /** Where this process reaches servers, both as `host:port`: from how they name each other. */
  readonly natMap?: Readonly<Record<string, string>> | undefined;
}

/**
 * @param address how to get into the servers
 * @throws ConfigError
 */
export function topologyOf(
  { sentinel, cluster, natMap = {} }: TopologyOptions,
  address: RedisAddress,
): Topology | undefined {
  if (sentinel !== undefined && cluster !== undefined) {
    throw new ConfigError('Sentinels and a cluster are both set: leave one out.');
  }
  const translate = translating(natMap);
  if (cluster !== undefined) {
    if (address.database !== 0) {
      throw new ConfigError('A cluster has database 0 only: take the database out of REDIS_URL.');
    }
    return { kind: 'cluster', roots: places(cluster.nodes, 'REDIS_CLUSTER_NODES'), translate };
  }
  if (sentinel === undefined) return undefined;
  const { nodes, master, password } = sentinel;
  if (master === '') throw new ConfigError('REDIS_SENTINEL_MASTER is empty: it names the primary.');
  const sentinels = places(nodes, 'REDIS_SENTINEL_NODES').map(({ host, port }) =>
    address.ofSentinel(host, port, password),
  );
  return { kind: 'sentinel', sentinels, master, translate };
}

function places(nodes: readonly string[], setting: string): Place[] {
  if (nodes.length === 0) throw new ConfigError(`${setting} names no server: host:port, …`);
  return nodes.map((text) => {
    const place = parsePlace(text);
    if (place === null) {
      throw new ConfigError(`${setting} must be host:port, host:port, …; IPv6 as [::1]:6379.`);
    }
    return place;
  });
}

function translating(natMap: Readonly<Record<string, string>>): Translate {
  const map = new Map<string, Place>();
  for (const [from, to] of Object.entries(natMap)) {
    const [named, reached] = [parsePlace(from), parsePlace(to)];
    if (named === null || reached === null) {
      throw new ConfigError(
        'REDIS_NAT_MAP must be host:port=host:port, …: how servers name each other, and where they are reached.',
      );
    }
    map.set(nameOf(named), reached);
  }
  return (place) => map.get(nameOf(place)) ?? place;
}
