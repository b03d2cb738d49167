import type { RecordPlace } from '../codec/codec.ts';

/** Of what is authenticated with a record; another for every other format of records. */
const label = 'holdfast record 1';

/**
 * What a record is bound to, as JSON text: so that no two places are spelled alike. This much of it is
 * the same for all records of a session.
 *
 * @param keyId none where the token doesn't say under which key it is
 */
export function sessionText(
  keyId: string | null,
  namespace: string,
  { sessionId, incarnation }: Pick<RecordPlace, 'sessionId' | 'incarnation'>,
): string {
  return JSON.stringify([label, keyId, namespace, sessionId, incarnation]).slice(0, -1);
}

/** And the rest: completes the text of the session. */
export function recordText({ kind, position }: RecordPlace): string {
  return `,"${kind}",${typeof position === 'number' ? position : JSON.stringify(position)}]`;
}
