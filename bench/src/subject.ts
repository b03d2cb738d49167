import { ExpirySubject, type ExpirySubjectOptions } from './expiry-subject.ts';
import { SessionsSubject, type SessionsSubjectOptions } from './sessions-subject.ts';

/** What can be measured. Each gives the CPU time of one operation, in nanoseconds. */
export type Measure = 'mapGet' | 'get' | 'turn' | 'create' | 'cleanup';

export type SubjectOptions =
  | ({ readonly kind: 'sessions' } & SessionsSubjectOptions)
  | ({ readonly kind: 'expiry' } & ExpirySubjectOptions);

/** A store in a certain state, of which measures are taken. */
export interface Subject {
  measure(measure: Measure, count: number): Promise<number>;
  stop(): Promise<void>;
}

/** A subject in this process. */
export async function localSubject(options: SubjectOptions): Promise<Subject> {
  return options.kind === 'sessions'
    ? SessionsSubject.create(options)
    : ExpirySubject.create(options);
}
