import type { RefObject, TargetedSubmitEvent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { isBlank } from '../../blank.ts';
import { enterSends } from '../../components/enter-sends.ts';
import { SendIcon } from '../../components/icons.tsx';
import { rowsOf } from '../../components/rows-of.ts';
import type { Kept } from '../../storage.ts';
import { fields, readString } from '../../wire.ts';
import { lengthHint } from '../wording.ts';

interface ComposerProps {
  input: RefObject<HTMLTextAreaElement>;
  draft: Kept;
  onSend: (text: string) => void;
}

export function Composer({ input, draft, onSend }: ComposerProps) {
  const [text, setText] = useState(() => readString(fields(draft.read()).text));
  const { hint, tooLong } = lengthHint(text);

  // Not on a phone, where it would open the keyboard over the page.
  useEffect(() => {
    if (window.matchMedia('(pointer: fine)').matches) input.current?.focus();
  }, [input]);

  function write(next: string) {
    setText(next);
    draft.write(next === '' ? null : { text: next });
  }

  function submit(event: TargetedSubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    input.current?.focus();
    const message = text.trim();
    if (isBlank(message) || tooLong) return;
    onSend(message);
    write('');
  }

  return (
    <form class="composer column" onSubmit={submit}>
      <div class="field">
        <label class="visually-hidden" for="message">
          Your message
        </label>
        <textarea
          id="message"
          name="message"
          placeholder="Write a message"
          rows={rowsOf(text)}
          value={text}
          ref={input}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={enterSends}
          aria-invalid={tooLong}
          aria-describedby="length keys"
          enterkeyhint="send"
        />
        <button type="submit" class="send">
          <SendIcon />
          <span class="visually-hidden">Send</span>
        </button>
      </div>
      <div class="hints">
        <p id="length" class={tooLong ? 'error' : ''}>
          {hint}
        </p>
        {/* Said once when it becomes so; the count beside it changes with each key. */}
        <p class="visually-hidden" role="status">
          {tooLong && 'This message is too long.'}
        </p>
        <p id="keys">
          <kbd>Enter</kbd> sends, <kbd>Shift</kbd> + <kbd>Enter</kbd> starts a new line
        </p>
      </div>
    </form>
  );
}
