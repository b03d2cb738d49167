import { type DocumentedSetting, documentedSettings } from './documented-settings.ts';

/** `docs/configuration.md`: every setting, by group. */
export function configurationPage(): string {
  const groups = documentedSettings().map(
    ({ title, settings }) => `## ${title}

| setting | meaning | values | default |
|---|---|---|---|
${settings.map(row).join('\n')}
`,
  );
  return `# Configuration

Settings come from the environment and from the file \`.env\` in the working folder; what the
environment has comes first. An empty value means the default. [\`.env.example\`](../.env.example) has all
of them with their defaults: copy it to \`.env\` and change what you need. A setting that is malformed
stops the start with a message that names it, and never its value.

${groups.join('\n')}
Settings that this page does not name are ignored, among them what Kubernetes sets for a service named
redis, such as \`REDIS_PORT\`. Of those that other versions have, \`REDIS_HEALTH_CHECK_INTERVAL\` is not
needed: the connections to Redis are watched all the time.
`;
}

function row({ name, meaning, values, fallback }: DocumentedSetting): string {
  const shown = fallback === null || fallback === '' ? 'unset' : `\`${fallback}\``;
  return `| \`${name}\` | ${meaning} | ${values} | ${shown} |`;
}
