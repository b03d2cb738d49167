import { type Clock, type Config, systemClock } from 'holdfast';
import { LocalModel } from './local/local-model.ts';
import type { Model } from './model.ts';

/** The model that the settings name. Only one on a server loads what speaks to servers. */
export async function createModel(
  { openai, knowledgeDir }: Config['agent'],
  clock: Clock = systemClock,
): Promise<Model> {
  if (openai === undefined) return new LocalModel();
  const { OpenAIModel } = await import('./openai/openai-model.ts');
  const { bundledShop } = await import('./openai/instructions.ts');
  const shop = knowledgeDir === undefined ? bundledShop : undefined;
  return new OpenAIModel({ ...openai, shop, clock });
}
