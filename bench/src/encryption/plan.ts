import { atMost, type Experiment } from '../experiment.ts';
import type { Measure } from '../subject.ts';

/** How much of everything; `quick` is for a look whether it runs, its figures mean little. */
export interface EncryptionSizes {
  readonly rounds: number;
  readonly sessions: number;
  readonly records: number;
}

/** More and shorter rounds than elsewhere: what else the machine does then falls on all measures alike. */
export const fullEncryptionSizes: EncryptionSizes = { rounds: 21, sessions: 200, records: 15_000 };

export const quickEncryptionSizes: EncryptionSizes = { rounds: 3, sessions: 20, records: 2_000 };

const bytes = 700;

export function encryptionExperiments(sizes: EncryptionSizes): readonly Experiment[] {
  const { sessions, records: count } = sizes;
  const measures: readonly Measure[] = [
    'barePair',
    'envelope',
    'bareRecord',
    'record',
    'coldRecord',
    'fernetRecord',
  ];
  const against = (reference: Measure, measure: Measure) =>
    ({ figures: [reference, measure], compare: 'growth' }) as const;
  return [
    {
      name: 'encryption/records',
      subjects: { records: { kind: 'records', bytes, sessions } },
      blocks: [measures.map((measure) => ({ name: measure, subject: 'records', measure, count }))],
      rows: [
        {
          title: `A record of ${bytes} bytes to its envelope and back; the bare pair of calls between the same JSON steps → the codec`,
          ...against('bareRecord', 'record'),
          target: atMost(1.3),
        },
        {
          title: 'The same without JSON on either side: the bare pair of calls → the envelope',
          ...against('barePair', 'envelope'),
          target: atMost(1.3),
        },
        {
          title: 'The same; the bare pair of calls without JSON → the codec with it',
          ...against('barePair', 'record'),
        },
        {
          title: 'The codec with the session’s key at hand → derived anew for each record',
          ...against('record', 'coldRecord'),
        },
        {
          title: 'The codec with AES-256-GCM → with Fernet',
          ...against('record', 'fernetRecord'),
        },
      ],
    },
  ];
}
