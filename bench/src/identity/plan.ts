import { atMost, type Experiment } from '../experiment.ts';

/** How much of everything; `quick` is for a look whether it runs, its figures mean little. */
export interface IdentitySizes {
  readonly rounds: number;
  readonly sessions: number;
  readonly requests: number;
}

export const fullIdentitySizes: IdentitySizes = { rounds: 5, sessions: 1_000, requests: 50_000 };

export const quickIdentitySizes: IdentitySizes = { rounds: 3, sessions: 100, requests: 2_000 };

export function identityExperiments({ sessions, requests: count }: IdentitySizes) {
  const measured = { subject: 'clients', count };
  const experiment: Experiment = {
    name: 'identity/clients',
    subjects: { clients: { kind: 'clients', sessions } },
    blocks: [
      [
        { ...measured, name: 'token', measure: 'token' },
        { ...measured, name: 'seen', measure: 'tokenAndSeenClient' },
        { ...measured, name: 'new', measure: 'tokenAndNewClient' },
      ],
    ],
    rows: [
      { title: '`authenticate`, by the token alone', figures: ['token'] },
      {
        title: 'The same and the client’s fingerprint, its User-Agent seen before',
        figures: ['seen'],
        target: atMost(15_000),
      },
      {
        title: 'The same, its User-Agent new',
        figures: ['new'],
        target: atMost(60_000),
      },
    ],
  };
  return [experiment];
}
