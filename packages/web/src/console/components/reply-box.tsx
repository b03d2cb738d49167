import type { RefObject, TargetedSubmitEvent } from 'preact';
import { isBlank } from '../../blank.ts';
import { enterSends } from '../../components/enter-sends.ts';
import { SendIcon } from '../../components/icons.tsx';
import { rowsOf } from '../../components/rows-of.ts';

interface ReplyBoxProps {
  input: RefObject<HTMLTextAreaElement>;
  text: string;
  onText: (text: string) => void;
  canSend: boolean;
  onSend: (message: string) => void;
}

export function ReplyBox({ input, text, onText, canSend, onSend }: ReplyBoxProps) {
  function submit(event: TargetedSubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    input.current?.focus();
    const message = text.trim();
    if (!isBlank(message) && canSend) onSend(message);
  }

  return (
    <form class="reply" onSubmit={submit}>
      <div class="field">
        <label class="visually-hidden" for="reply">
          Your message to the customer
        </label>
        <textarea
          id="reply"
          name="reply"
          rows={rowsOf(text)}
          placeholder="Write to the customer"
          value={text}
          ref={input}
          onInput={(event) => onText(event.currentTarget.value)}
          onKeyDown={enterSends}
          enterkeyhint="send"
        />
        <button type="submit" class="send" disabled={!canSend}>
          <SendIcon />
          <span class="visually-hidden">Send</span>
        </button>
      </div>
    </form>
  );
}
