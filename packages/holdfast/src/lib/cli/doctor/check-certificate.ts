import { X509Certificate } from 'node:crypto';
import type { Config } from '../../config/load-config.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

/** So long before its end a certificate should have been renewed, in days. */
const soonDays = 14;
const dayMs = 86_400_000;

/** How long clients take the server's own certificate; nothing where it has none. Whose key it is was seen before. */
export function checkCertificate({ server: { tls } }: Config, now = Date.now()): Finding[] {
  if (tls === undefined) return [];
  const { subject, validFrom, validTo } = new X509Certificate(tls.cert);
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const name = subject?.replaceAll('\n', ', ') || 'no name';
  const remedy = 'Renew it, put the new one where API_TLS_CERT_FILE says, and start again.';
  if (now >= to) {
    return [failed('certificate', `Expired on ${day(to)} (${name}): clients refuse it.`, remedy)];
  }
  if (now < from) {
    const message = `Counts from ${day(from)} on only (${name}): until then clients refuse it.`;
    return [failed('certificate', message, 'Check the clock of this machine.')];
  }
  const message = `For ${name}, with its own key, until ${day(to)}.`;
  return [
    to - now < soonDays * dayMs
      ? warning('certificate', message, remedy)
      : ok('certificate', message),
  ];
}
