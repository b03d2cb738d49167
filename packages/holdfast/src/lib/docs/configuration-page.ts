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
## What is warned of

At the start, and by \`holdfast doctor\`: settings that make each other useless; a name that is nearly one of
these, with the one that was probably meant; with \`NODE_ENV=production\` also what is unsafe there, such as sessions on Redis
without encryption, an operators' key that looks like an example, or sessions in memory with
\`WEB_CONCURRENCY\` above 1.

Other names are ignored, among them what Kubernetes sets for a service named redis, such as \`REDIS_PORT\`. Names of
earlier versions work with a notice: \`SESSION_TIMEOUT_SECONDS\` is \`SESSION_TIMEOUT_MINUTES\`, in seconds; \`USE_SHARED_CONTEXT\` is always
so. \`REDIS_HEALTH_CHECK_INTERVAL\` is not needed: the connections to Redis are watched all the time.
`;
}

function row({ name, meaning, values, fallback }: DocumentedSetting): string {
  const shown = fallback === null || fallback === '' ? 'unset' : `\`${fallback}\``;
  return `| \`${name}\` | ${meaning} | ${values} | ${shown} |`;
}
