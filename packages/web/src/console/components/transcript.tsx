import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import { SpokenText } from '../../components/spoken-text.tsx';
import { timeLabel } from '../../time-label.ts';
import { type Line, type SaidLine, type StepLine, withResults } from '../wire.ts';

/** Whoever has scrolled back further than this reads there, and stays. */
const AT_END_PX = 120;

interface TranscriptProps {
  lines: readonly Line[];
  /** There are messages before these. */
  earlier: boolean;
  scroller: RefObject<HTMLDivElement>;
  onEarlier: () => void;
}

const SPEAKER = {
  user: 'Customer',
  assistant: 'Assistant',
  operator: 'Operator',
  system: 'System',
} as const;

export function Transcript({ lines, earlier, scroller, onEarlier }: TranscriptProps) {
  const newest = lines.at(-1);
  useLayoutEffect(() => {
    const log = scroller.current;
    if (log === null || newest === undefined) return;
    // Laid out in reverse: its end is at 0, and what is further up is below that.
    if (log.scrollTop >= -AT_END_PX) log.scrollTop = 0;
  }, [newest?.seq]);

  /** The button vanishes with the first message: the focus goes where one reads on. */
  function showEarlier() {
    scroller.current?.focus({ preventScroll: true });
    onEarlier();
  }

  return (
    <div
      class="transcript"
      role="log"
      aria-label="Transcript"
      ref={scroller}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
    >
      <div class="lines">
        {earlier && (
          <button type="button" class="quiet earlier" onClick={showEarlier}>
            Earlier messages
          </button>
        )}
        {lines.length === 0 && <p class="blank">Nothing has been said yet.</p>}
        {withResults(lines).map((line) =>
          line.kind === 'said' ? (
            <Said key={line.seq} line={line} />
          ) : (
            <Step key={`${line.seq} ${line.callId}`} line={line} />
          ),
        )}
      </div>
    </div>
  );
}

/** All text is rendered as text: what a customer says is never markup. */
function Said({ line }: { line: SaidLine }) {
  const { role, text, at, sources, confidence, answered, ticket } = line;
  return (
    <div class="line" data-role={role}>
      <p class="line-head">
        <strong>{SPEAKER[role]}</strong>
        {at !== null && <time dateTime={new Date(at).toISOString()}>{timeLabel(at)}</time>}
      </p>
      <SpokenText text={text} />
      {role === 'assistant' && (
        <p class="line-foot">
          {!answered && <span class="pill">Did not answer</span>}
          {ticket !== null && <span class="code ticket-id">{ticket.id}</span>}
          {confidence !== null && <span>{Math.round(confidence * 100)} % sure</span>}
          {sources.map(({ title, heading }) => (
            <span key={`${title}\n${heading}`}>
              {title}
              {heading !== '' && ` · ${heading}`}
            </span>
          ))}
        </p>
      )}
    </div>
  );
}

function Step({ line: { name, input, result } }: { line: StepLine }) {
  return (
    <details class="step">
      <summary>
        Used <span class="code">{name}</span>
      </summary>
      {input !== null && <Json label="Asked for" text={input} />}
      {result !== null && <Json label="Got" text={result} />}
    </details>
  );
}

function Json({ label, text }: { label: string; text: string }) {
  return (
    <figure>
      <figcaption>{label}</figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>{text}</pre>
    </figure>
  );
}
