import { readSecret } from './named-files.ts';
import type { Secret } from './secret.ts';
import { defaultModelBase, type Settings } from './settings.ts';

/** What answers customers, and from what. */
export interface AgentConfig {
  readonly provider: Settings['AI_PROVIDER'];
  readonly knowledgeDir: string | undefined;
  /** Undefined unless the provider is `openai`. */
  readonly openai: ModelServerConfig | undefined;
}

/** A server that has OpenAI's chat completions. */
interface ModelServerConfig {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** Undefined for a server that asks for none. */
  readonly apiKey: Secret | undefined;
  readonly model: string;
  /** How long it may say nothing. */
  readonly timeoutMs: number;
}

/**
 * The key's file is read only for a model that needs it: elsewhere it need not exist.
 *
 * @param wrong gets a sentence for each setting that cannot be used, without its value
 */
export function readAgentConfig(settings: Settings, wrong: string[]): AgentConfig {
  const { AI_PROVIDER: provider, KNOWLEDGE_DIR: knowledgeDir } = settings;
  const openai = provider === 'openai' ? readModelServer(settings, wrong) : undefined;
  return { provider, knowledgeDir, openai };
}

function readModelServer(settings: Settings, wrong: string[]): ModelServerConfig {
  const baseUrl = settings.OPENAI_API_BASE.replace(/\/+$/, '');
  const { OPENAI_API_KEY, OPENAI_API_KEY_FILE } = settings;
  if (baseUrl === defaultModelBase && (OPENAI_API_KEY ?? OPENAI_API_KEY_FILE) === undefined) {
    wrong.push(
      'AI_PROVIDER=openai needs a key: set OPENAI_API_KEY or OPENAI_API_KEY_FILE, or OPENAI_API_BASE to a server that asks for none',
    );
  }
  return {
    baseUrl,
    apiKey: readSecret('OPENAI_API_KEY', { what: 'key', isForHeaders: true }, settings, wrong),
    model: settings.AGENT_MODEL,
    timeoutMs: settings.AGENT_MODEL_TIMEOUT_SECONDS * 1000,
  };
}
