import { SpokenText } from '../../components/spoken-text.tsx';
import type { DraftEntry } from '../entries.ts';

/**
 * An answer while it is written. It is no live region: a screen reader hears the whole answer, which
 * takes its place.
 */
export function Draft({ entry: { text, stage } }: { entry: DraftEntry }) {
  return (
    <div class="said by-assistant" data-draft={stage} aria-live="off" aria-busy={stage !== 'cut'}>
      {text !== '' && (
        <div class="bubble">
          <SpokenText text={text} />
        </div>
      )}
      {stage === 'waiting' && (
        <p class="typing">
          <span class="visually-hidden">An answer is being written.</span>
          <i />
          <i />
          <i />
        </p>
      )}
      {stage === 'looking' && (
        <p class="looking">
          <i />
          Looking it up…
        </p>
      )}
      {stage === 'cut' && <p class="aside">This answer was cut off.</p>}
    </div>
  );
}
