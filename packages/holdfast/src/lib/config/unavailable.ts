/** Something that this version does not have, and the settings that ask for it. */
interface Protection {
  readonly name: string;
  /** What turns it off. Anything else, a slip of the pen too, asks for it; so does anything without. */
  readonly off?: RegExp;
  /** Settings that turn it on unless it is turned off by name. */
  readonly impliedBy: readonly string[];
  readonly what: string;
}

export const unavailable: readonly Protection[] = [
  { name: 'SESSION_DURABILITY', off: /^async$/i, impliedBy: [], what: 'replicated durability' },
  { name: 'REDIS_CLUSTER_NODES', impliedBy: [], what: 'Redis Cluster' },
  { name: 'REDIS_SENTINEL_NODES', impliedBy: ['REDIS_SENTINEL_MASTER'], what: 'Redis Sentinel' },
];

/**
 * A sentence for each thing that the settings ask for and do not get. Running without it and
 * saying nothing would be worse than not starting.
 */
export function askedButUnavailable(settings: Readonly<Record<string, string>>): string[] {
  return unavailable.flatMap(({ name, off, impliedBy, what }) => {
    const asking =
      settings[name] === undefined
        ? impliedBy.find((implying) => settings[implying] !== undefined)
        : off?.test(settings[name])
          ? undefined
          : name;
    return asking === undefined
      ? []
      : [`${asking} asks for ${what}, which this version does not have`];
  });
}
