import { checkCertificate } from './doctor/check-certificate.ts';
import { checkKnowledge } from './doctor/check-knowledge.ts';
import { checkRedis } from './doctor/check-redis.ts';
import { checkSettings } from './doctor/check-settings.ts';
import type { Finding } from './doctor/finding.ts';
import { type CommonOptions, exitCodes, type Terminal, widthOf } from './terminal.ts';
import { printable, wrapped } from './text.ts';

const marks = { ok: '✓', warning: '!', failed: '✗', skipped: '-' } as const;
const nameWidth = 12;
/** What files and pipes get: lines that people can read. */
const plainWidth = 80;

/** `holdfast doctor`: whether a server would start with these settings, and keep its sessions. */
export async function doctor(
  { settings: envFile, json }: CommonOptions,
  terminal: Terminal,
): Promise<number> {
  const { env, out, err, signal } = terminal;
  const found: Finding[] = [];
  const width = Math.min(widthOf(terminal), plainWidth);
  const tell = (finding: Finding) => {
    found.push(finding);
    if (!json) out.write(linesOf(finding, width));
  };
  const { config, findings } = checkSettings({ env, envFile });
  for (const finding of findings) tell(finding);
  if (config !== null) {
    for (const finding of checkCertificate(config)) tell(finding);
    for (const finding of await checkKnowledge(config)) tell(finding);
    try {
      for await (const finding of checkRedis(config, signal)) {
        signal.throwIfAborted();
        tell(finding);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
      err.write('Stopped.\n');
      return exitCodes.interrupted;
    }
  }
  const number = (wanted: Finding['status']) =>
    found.filter(({ status }) => status === wanted).length;
  const isWell = number('failed') === 0;
  if (json) out.write(`${JSON.stringify({ ok: isWell, findings: found })}\n`);
  else out.write(`\n${verdict(number('failed'), number('warning'))}\n`);
  return isWell ? exitCodes.done : exitCodes.failed;
}

function linesOf({ check, status, message, remedy }: Finding, width: number): string {
  const indent = ' '.repeat(nameWidth + 2);
  const room = width - indent.length;
  const texts = [printable(message), ...(remedy === undefined ? [] : [`→ ${printable(remedy)}`])];
  const lines = texts.flatMap((text) => wrapped(text, room));
  return lines
    .map(
      (line, at) => `${at === 0 ? `${marks[status]} ${check.padEnd(nameWidth)}` : indent}${line}\n`,
    )
    .join('');
}

function verdict(failures: number, warnings: number): string {
  const some = warnings === 1 ? 'one warning' : `${warnings} warnings`;
  if (failures === 0) return warnings === 0 ? 'All is well.' : `It will work, with ${some}.`;
  const what = failures === 1 ? 'One check' : `${failures} checks`;
  return `${what} failed${warnings === 0 ? '' : `, ${some}`}.`;
}
