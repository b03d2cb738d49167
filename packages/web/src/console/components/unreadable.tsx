/** Ids that are named; the command line names all. */
const MOST_NAMED = 5;

/** That sessions are not in the list because they cannot be read: how many, which, and what can be done. */
export function Unreadable({ ids }: { ids: readonly string[] }) {
  const rest = ids.length - MOST_NAMED;
  return (
    <section class="problem unreadable" aria-label="Sessions that cannot be read">
      <p>
        <strong>
          {ids.length === 1 ? '1 session cannot be read' : `${ids.length} sessions cannot be read`}
        </strong>{' '}
        and so {ids.length === 1 ? 'is' : 'are'} not in this list. On the server{' '}
        <code>holdfast sessions list</code> says why: put a missing key back into{' '}
        <code>SESSION_ENCRYPTION_KEY</code>; bring a damaged session back from a backup, or delete
        it.
      </p>
      <ul>
        {ids.slice(0, MOST_NAMED).map((id) => (
          <li key={id} class="code">
            {id}
          </li>
        ))}
        {rest > 0 && <li>and {rest} more</li>}
      </ul>
    </section>
  );
}
