import { type DocumentedSetting, documentedSettings } from './documented-settings.ts';

/** `.env.example`: every setting with its default; those without one are commented out. */
export function envExample(): string {
  const groups = documentedSettings().map(
    ({ title, settings }) => `# ${title}\n\n${settings.map(entry).join('\n')}`,
  );
  return `# Every setting with its default. Copy this file to .env and change what you need.
# docs/configuration.md has the same as a table.

${groups.join('\n')}`;
}

function entry({ name, meaning, values, fallback }: DocumentedSetting): string {
  const line = fallback === null || fallback === '' ? `# ${name}=` : `${name}=${fallback}`;
  return `# ${meaning} (${values})\n${line}\n`;
}
