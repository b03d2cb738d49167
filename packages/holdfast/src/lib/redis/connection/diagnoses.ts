export interface Diagnosis {
  /** Two or three words, for a log line. */
  readonly phrase: string;
  /** What happened, after "Redis at <address>". */
  readonly what: string;
  /** What to do, one sentence. */
  readonly remedy: string;
  /** Only other settings mend it: at the start it is a `ConfigError`. */
  readonly isSetting?: true;
}

const certificate = {
  phrase: 'Certificate refused',
  remedy:
    'Give the certificate authority that signed it (REDIS_TLS_CA_FILE), or a host name that it names.',
  isSetting: true,
} as const;

/** By the code of a Node.js error, the first word of an error reply, or a name of their own. */
export const diagnoses = {
  ECONNREFUSED: {
    phrase: 'Connection refused',
    what: 'refused the connection.',
    remedy: 'Start it, or correct the host and port in REDIS_URL.',
  },
  ENOTFOUND: {
    phrase: 'Host not found',
    what: 'has a host name that does not exist.',
    remedy: 'Correct the host in REDIS_URL, or its DNS entry.',
  },
  EAI_AGAIN: {
    phrase: 'Host not found',
    what: 'has a host name that the DNS could not look up now.',
    remedy: 'Check the DNS of this machine.',
  },
  ETIMEDOUT: {
    phrase: 'Timed out',
    what: 'did not answer in time.',
    remedy:
      'Check that it is neither stopped nor overloaded, that no firewall drops packets, and that a rediss:// URL names a port that speaks TLS.',
  },
  EHOSTUNREACH: {
    phrase: 'Host unreachable',
    what: 'cannot be reached over this network.',
    remedy: 'Check the route and the firewall between here and there.',
  },
  ECONNRESET: {
    phrase: 'Connection closed',
    what: 'closed the connection.',
    remedy: 'Check its log, and that REDIS_URL says rediss:// just where the server speaks TLS.',
  },
  NOT_REDIS: {
    phrase: 'Not a Redis',
    what: 'answers, but not as a Redis does.',
    remedy: 'Correct the host and port in REDIS_URL: another service is there.',
    isSetting: true,
  },
  TLS: {
    phrase: 'TLS refused',
    what: 'and this client found no common TLS.',
    remedy:
      'Use rediss:// only for a port that speaks TLS, and check the client certificate (REDIS_TLS_CERT_FILE).',
    isSetting: true,
  },
  CERT_HAS_EXPIRED: {
    ...certificate,
    phrase: 'Certificate expired',
    what: 'has a TLS certificate that has expired.',
    remedy: "Renew the server's certificate.",
  },
  CERTIFICATE: { ...certificate, what: 'has a TLS certificate that is not trusted here.' },
  WRONGPASS: {
    phrase: 'Wrong password',
    what: 'refused the user name or password.',
    remedy: 'Correct REDIS_PASSWORD, or the user and password in REDIS_URL.',
    isSetting: true,
  },
  NOAUTH: {
    phrase: 'Password required',
    what: 'asks for a password.',
    remedy: 'Set REDIS_PASSWORD.',
    isSetting: true,
  },
  NOPERM: {
    phrase: 'Permission denied',
    what: "denies this user a command, key or channel that Holdfast's sessions need.",
    remedy: "Extend the user's ACL by what docs/redis.md lists.",
    isSetting: true,
  },
  NOPROTO: {
    phrase: 'Version too old',
    what: 'does not speak RESP 3.',
    remedy: 'Use Redis 6.2 or newer, or Valkey.',
    isSetting: true,
  },
  DATABASE: {
    phrase: 'No such database',
    what: 'has no database of that number.',
    remedy: "Correct the number at the end of REDIS_URL, or raise the server's databases setting.",
    isSetting: true,
  },
  MAXCLIENTS: {
    phrase: 'Too many connections',
    what: 'takes no more connections.',
    remedy: "Raise the server's maxclients, or end what holds its connections.",
  },
  LOADING: {
    phrase: 'Loading its data',
    what: 'is still loading its data.',
    remedy: 'Wait until it has.',
  },
  READONLY: {
    phrase: 'Read-only replica',
    what: 'is a read-only replica.',
    remedy: 'Point REDIS_URL at the primary.',
  },
  OOM: {
    phrase: 'Out of memory',
    what: 'has reached its maxmemory.',
    remedy: 'Raise maxmemory, or let sessions end sooner.',
  },
  BUSY: {
    phrase: 'Busy with a script',
    what: 'is busy with a long-running script.',
    remedy: 'Find out whose script that is; SCRIPT KILL ends one that has not written.',
  },
  MASTERDOWN: {
    phrase: 'Primary is down',
    what: 'is a replica that lost its primary.',
    remedy: 'Bring the primary back, or point REDIS_URL at the new one.',
  },
  CLUSTERDOWN: {
    phrase: 'Cluster is down',
    what: 'belongs to a Cluster that is down.',
    remedy: "Bring the Cluster's missing nodes back.",
  },
  MISCONF: {
    phrase: 'Cannot save to disk',
    what: 'takes no writes since its last snapshot failed.',
    remedy: "Make room on the server's disk and check its log.",
  },
  NOREPLICAS: {
    phrase: 'Too few replicas',
    what: 'takes no writes while too few replicas are connected (min-replicas-to-write).',
    remedy: 'Bring its replicas back.',
  },
  NOSCRIPT: {
    phrase: 'Scripts lost',
    what: 'loses its scripts as soon as they are loaded.',
    remedy: 'Find out what calls SCRIPT FLUSH.',
  },
  WRONGTYPE: {
    phrase: 'Not what was written',
    what: 'has something at a key of Holdfast’s that is of another type, which the cause of this error has in words.',
    remedy:
      'Let nothing else write behind REDIS_SESSION_KEY_PREFIX; to delete the session removes what is at its keys.',
  },
  UNKNOWN_REPLY: {
    phrase: 'Error reply',
    what: 'answered with an error.',
    remedy: 'The cause of this error has its words.',
  },
  UNKNOWN: {
    phrase: 'Failed',
    what: 'cannot be used.',
    remedy: 'The cause of this error says why.',
  },
} as const satisfies Readonly<Record<string, Diagnosis>>;
