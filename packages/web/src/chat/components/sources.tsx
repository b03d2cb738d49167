import { PageIcon } from '../../components/icons.tsx';
import type { Source } from '../../wire.ts';

/** The articles that an answer rests on. */
export function Sources({ sources }: { sources: readonly Source[] }) {
  return (
    <div class="sources">
      <p class="visually-hidden">{sources.length === 1 ? 'Source:' : 'Sources:'}</p>
      <ul>
        {sources.map(({ title, heading, url }) => (
          <li key={`${title}\n${heading}`}>
            <PageIcon />
            <span>
              {url === '' ? (
                <cite>{title}</cite>
              ) : (
                <a href={url} target="_blank" rel="noopener noreferrer">
                  <cite>{title}</cite>
                </a>
              )}
              {heading !== '' && <span class="heading">{heading}</span>}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
