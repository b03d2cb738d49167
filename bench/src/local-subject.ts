import { RecordsSubject, type RecordsSubjectOptions } from './encryption/records-subject.ts';
import { ClientsSubject, type ClientsSubjectOptions } from './identity/clients-subject.ts';
import { ExpirySubject, type ExpirySubjectOptions } from './memory/expiry-subject.ts';
import { SessionsSubject, type SessionsSubjectOptions } from './memory/sessions-subject.ts';
import { EqualWorkSubject, type EqualWorkSubjectOptions } from './redis/equal-work-subject.ts';
import { FootprintSubject, type FootprintSubjectOptions } from './redis/footprint-subject.ts';
import { KeptSubject, type KeptSubjectOptions } from './redis/kept-subject.ts';
import { NamespaceSubject, type NamespaceSubjectOptions } from './redis/namespace-subject.ts';
import { OneSessionSubject, type OneSessionSubjectOptions } from './redis/one-session-subject.ts';
import { TrafficSubject, type TrafficSubjectOptions } from './redis/traffic-subject.ts';
import { TroubleSubject, type TroubleSubjectOptions } from './redis/trouble-subject.ts';
import { TurnsSubject, type TurnsSubjectOptions } from './redis/turns-subject.ts';
import { VisitorsSubject, type VisitorsSubjectOptions } from './redis/visitors-subject.ts';
import { WritersSubject, type WritersSubjectOptions } from './redis/writers-subject.ts';
import { AnswersSubject, type AnswersSubjectOptions } from './server/answers-subject.ts';
import { EchoSubject, type EchoSubjectOptions } from './server/echo-subject.ts';
import type { Begin, OptionsOf, Subject } from './subject.ts';
import { FailoverSubject, type FailoverSubjectOptions } from './topologies/failover-subject.ts';
import { PlacedSubject, type PlacedSubjectOptions } from './topologies/placed-subject.ts';

export type SubjectOptions =
  | OptionsOf<'sessions', SessionsSubjectOptions>
  | OptionsOf<'expiry', ExpirySubjectOptions>
  | OptionsOf<'clients', ClientsSubjectOptions>
  | OptionsOf<'turns', TurnsSubjectOptions>
  | OptionsOf<'equalWork', EqualWorkSubjectOptions>
  | OptionsOf<'oneSession', OneSessionSubjectOptions>
  | OptionsOf<'writers', WritersSubjectOptions>
  | OptionsOf<'namespace', NamespaceSubjectOptions>
  | OptionsOf<'kept', KeptSubjectOptions>
  | OptionsOf<'traffic', TrafficSubjectOptions>
  | OptionsOf<'trouble', TroubleSubjectOptions>
  | OptionsOf<'visitors', VisitorsSubjectOptions>
  | OptionsOf<'placed', PlacedSubjectOptions>
  | OptionsOf<'failover', FailoverSubjectOptions>
  | OptionsOf<'footprint', FootprintSubjectOptions>
  | OptionsOf<'records', RecordsSubjectOptions>
  | OptionsOf<'answers', AnswersSubjectOptions>
  | OptionsOf<'echo', EchoSubjectOptions>;

/** A subject in this process. `beginOther` makes the subjects that it is made of, if any. */
export async function localSubject(
  options: SubjectOptions,
  beginOther: Begin<SubjectOptions> = localSubject,
): Promise<Subject> {
  switch (options.kind) {
    case 'sessions':
      return SessionsSubject.create(options);
    case 'expiry':
      return ExpirySubject.create(options);
    case 'clients':
      return ClientsSubject.create(options);
    case 'turns':
      return TurnsSubject.create(options);
    case 'equalWork':
      return EqualWorkSubject.create(options);
    case 'oneSession':
      return OneSessionSubject.create(options, beginOther);
    case 'writers':
      return WritersSubject.create(options);
    case 'namespace':
      return NamespaceSubject.create(options);
    case 'kept':
      return KeptSubject.create(options);
    case 'traffic':
      return TrafficSubject.create(options, beginOther);
    case 'trouble':
      return TroubleSubject.create(options);
    case 'visitors':
      return VisitorsSubject.create(options);
    case 'placed':
      return PlacedSubject.create(options);
    case 'failover':
      return new FailoverSubject(options);
    case 'footprint':
      return FootprintSubject.create(options);
    case 'records':
      return new RecordsSubject(options);
    case 'answers':
      return AnswersSubject.create(options, beginOther);
    case 'echo':
      return EchoSubject.create(options);
  }
}
