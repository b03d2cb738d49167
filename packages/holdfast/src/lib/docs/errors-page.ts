import { damagedRecordRemedy, errorRegistry } from '../errors/registry.ts';

/** `docs/errors.md`: every error of the registry, in its order. */
export function errorsPage(): string {
  const rows = Object.entries(errorRegistry).map(
    ([code, { className, status, title, remedy }]) =>
      `| \`${code}\` | \`${className}\` | ${status} | ${title} | ${remedy} |`,
  );
  return `# Errors

Every failure that Holdfast reports is a \`HoldfastError\` with a stable \`code\`, the HTTP \`status\` that
fits, a \`title\`, a \`remedy\`, and where there was a failure underneath, its \`cause\`. The message says
what happened and ends with the remedy. A wait that is aborted is no error of Holdfast's: it rejects
with the \`reason\` of the caller's own signal.

Over HTTP an error is a problem (RFC 9457) of the type \`urn:holdfast:error:CODE\`. With status 500 the
detail stays in the server's log; what is not a \`HoldfastError\` at all has the code \`INTERNAL\`.

| code | class | status | what happened | what to do |
|---|---|---|---|---|
${rows.join('\n')}

A \`DecryptionError\` with \`isDamaged\` is of a record that was changed, moved, cut off or taken away: no key mends that, and its
remedy is another. ${damagedRecordRemedy}
`;
}
