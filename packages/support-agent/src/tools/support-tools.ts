import { escalate } from './escalate.ts';
import { rememberFact } from './remember-fact.ts';
import { searchKnowledge } from './search-knowledge.ts';
import type { Tool } from './tool.ts';

/** What the agent's models can have done, unless it is given other tools. */
export const supportTools: readonly Tool[] = [searchKnowledge, rememberFact, escalate];
