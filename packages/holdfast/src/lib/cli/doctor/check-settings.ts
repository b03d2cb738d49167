import { type Config, checkConfig, type LoadConfigOptions } from '../../config/load-config.ts';
import { turnOn } from '../../config/warnings.ts';
import { ConfigError } from '../../errors/errors.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

/** The settings, and what is to be said of them; without a configuration where they are unusable. */
export function checkSettings(options: LoadConfigOptions): {
  readonly config: Config | null;
  readonly findings: readonly Finding[];
} {
  try {
    const { config, wrong } = checkConfig(options);
    if (config === null)
      return { config, findings: wrong.map((each) => failed('settings', sentence(each))) };
    const warnings = config.warnings.map(({ message }) => warning('settings', sentence(message)));
    const findings =
      warnings.length === 0 ? [ok('settings', 'All of them can be used.')] : warnings;
    return { config, findings: [...findings, encryption(config)] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: null, findings: [failed('settings', error.message)] };
  }
}

function encryption({ encryption: how, session }: Config): Finding {
  if (how !== undefined && how.cipher !== 'none') {
    const [first, ...others] = how.ring.keyIds;
    const more = others.length === 0 ? '' : `, and ${others.join(' ')} read`;
    return ok('encryption', `${how.cipher}; key ${first} writes${more}.`);
  }
  if (session.storeType === 'in_memory')
    return ok('encryption', 'Off; sessions stay in the process.');
  return warning(
    'encryption',
    'Off: whoever reads Redis, or a copy of it, reads the conversations.',
    how === undefined
      ? 'Set SESSION_ENCRYPTION_KEY to what `holdfast keygen` prints.'
      : sentence(turnOn),
  );
}

function sentence(text: string): string {
  return /[.?]$/.test(text) ? text : `${text}.`;
}
