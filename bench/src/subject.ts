/** What can be measured. Each gives the CPU time of one operation, in nanoseconds. */
export type Measure = 'mapGet' | 'get' | 'turn' | 'create' | 'cleanup';

/** A store in a certain state, of which measures are taken. */
export interface Subject {
  measure(measure: Measure, count: number): Promise<number>;
  stop(): Promise<void>;
}
