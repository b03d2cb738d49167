import type { Settings } from './settings.ts';

/** A sentence for each pair of settings that cannot both be meant. */
export function contradictions(settings: Settings): string[] {
  const { SESSION_FINGERPRINT_STRICT: strict, SESSION_FINGERPRINTING_ENABLED: enabled } = settings;
  const wrong: string[] = [];
  if (strict && !enabled) {
    wrong.push('SESSION_FINGERPRINT_STRICT=true needs SESSION_FINGERPRINTING_ENABLED=true');
  }
  if (settings.SESSION_DURABILITY === 'replicated' && settings.REDIS_MAX_CONNECTIONS < 3) {
    wrong.push('SESSION_DURABILITY=replicated needs REDIS_MAX_CONNECTIONS of 3 or more');
  }
  const { AGENT_MODEL_TIMEOUT_SECONDS: silence, SESSION_TURN_MAX_SECONDS: turn } = settings;
  if (settings.AI_PROVIDER === 'openai' && turn < silence) {
    wrong.push(
      `SESSION_TURN_MAX_SECONDS (${turn}) is under AGENT_MODEL_TIMEOUT_SECONDS (${silence}): turns would end while the model may still be waited for; set SESSION_TURN_MAX_SECONDS to ${silence} or more, or AGENT_MODEL_TIMEOUT_SECONDS to ${turn} or less`,
    );
  }
  return wrong;
}
