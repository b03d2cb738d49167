import type { Errand } from '../desk-state.ts';

/** What was asked of a session that its operator has left meanwhile, and may not have been done. */
export function Undone({ errand: { id, title, problem } }: { errand: Errand }) {
  return (
    <p class="problem" role="alert">
      What you did last in <a href={`#${encodeURIComponent(id)}`}>{title}</a> may not have gone
      through. {problem}
    </p>
  );
}
