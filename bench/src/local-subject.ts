import { ExpirySubject, type ExpirySubjectOptions } from './expiry-subject.ts';
import { SessionsSubject, type SessionsSubjectOptions } from './sessions-subject.ts';
import type { Subject } from './subject.ts';

export type SubjectOptions =
  | ({ readonly kind: 'sessions' } & SessionsSubjectOptions)
  | ({ readonly kind: 'expiry' } & ExpirySubjectOptions);

/** A subject in this process. */
export async function localSubject(options: SubjectOptions): Promise<Subject> {
  return options.kind === 'sessions'
    ? SessionsSubject.create(options)
    : ExpirySubject.create(options);
}
