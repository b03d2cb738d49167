import { z } from 'zod';
import { settingGroups, settingsSchema } from '../config/settings.ts';

export interface DocumentedSetting {
  readonly name: string;
  readonly meaning: string;
  /** Its choices or bounds, such as `1 to 100`. */
  readonly values: string;
  /** As written in the environment; `null` when there is none. */
  readonly fallback: string | null;
}

interface DocumentedGroup {
  readonly title: string;
  readonly settings: readonly DocumentedSetting[];
}

/** The part of a JSON schema that describes one setting. */
interface Described {
  readonly type?: unknown;
  readonly enum?: readonly unknown[];
  readonly items?: Described;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly default?: unknown;
  readonly description?: string;
}

/** Every setting by group, as the schema describes itself. */
export function documentedSettings(): readonly DocumentedGroup[] {
  // As written they have their defaults, as read their kinds and bounds.
  const written = describedBy('input');
  const read = describedBy('output');
  return settingGroups.map(({ title, names }) => ({
    title,
    settings: names.map((name) => {
      const { description = '', default: fallback = null } = written[name] ?? {};
      return {
        name,
        meaning: description,
        values: valuesOf(read[name] ?? {}),
        fallback: fallback === null ? null : String(fallback),
      };
    }),
  }));
}

function describedBy(io: 'input' | 'output'): Record<string, Described> {
  const schema = z.toJSONSchema(settingsSchema, { io, unrepresentable: 'any' });
  return (schema.properties ?? {}) as Record<string, Described>;
}

function valuesOf(described: Described): string {
  const { type, enum: choices, items, minimum, maximum, minLength } = described;
  if (items?.enum !== undefined) return `some of ${items.enum.join(', ')}, comma-separated`;
  if (choices !== undefined) return choices.join(', ');
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (type === 'boolean') return 'true, false';
  if (minLength !== undefined && minLength > 1) return `text of ${minLength} characters or more`;
  return 'text';
}
