/** What can be learned of an operation, and the unit that it comes in. */
const units = {
  /** CPU time of the process that measures, its garbage collector's included. */
  cpu: 'ns',
  /** CPU time of the server that is measured: Redis, or the one that answers. */
  serverCpu: 'ns',
  /** From its begin to its end. */
  time: 'ns',
  /** The part of it that is left when others have done theirs, for which it waits. */
  ownTime: 'ns',
  /** From a call to the first byte of its reply: the median. */
  firstByte: 'ns',
  /** The time that half of them stay below. */
  p50: 'ns',
  /** The time that 99 of 100 stay below. */
  p99: 'ns',
  /** How many get done in a second, at the concurrency that the measure names. */
  rate: '/s',
  /** What it takes in a server's memory. */
  bytes: 'B',
  /** Reads that needed no round trip, of 100. */
  hits: '%',
  /** Turns that waited in vain, of 100. */
  refused: '%',
  /** Calls of scripts. */
  calls: '',
  /** Things that happened in another order than they must. */
  misplaced: '',
} as const;

export type Quantity = keyof typeof units;
export type Unit = (typeof units)[Quantity];

/** What one measure gave, for one operation each. */
export type Figures = Readonly<Partial<Record<Quantity, number>>>;

export function unitOf(quantity: Quantity): Unit {
  return units[quantity];
}

/** A figure with three digits that count, but for what is counted one by one. */
export function figure(value: number, unit: Unit): string {
  if (unit === 'ns') return duration(value);
  if (unit === '') return String(Number(value.toPrecision(3)));
  const gap = unit === 'B' || unit === '%' ? ' ' : '';
  return `${Math.round(value).toLocaleString('en-US')}${gap}${unit}`;
}

export function duration(nanoseconds: number): string {
  const scale = [
    [1e9, 's'],
    [1e7, 'ms'],
    [1e3, 'µs'],
  ] as const;
  const [least, name] = scale.find(([from]) => nanoseconds >= from) ?? [1, 'ns'];
  const value = nanoseconds / (name === 'ms' ? 1e6 : least);
  return `${value < 100 ? Number(value.toPrecision(3)) : Math.round(value)} ${name}`;
}
