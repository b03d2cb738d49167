import type { RefObject, TargetedSubmitEvent } from 'preact';
import { useState } from 'preact/hooks';
import { enterSends } from '../../components/enter-sends.ts';
import { SendIcon } from '../../components/icons.tsx';

interface ReplyBoxProps {
  input: RefObject<HTMLTextAreaElement>;
  busy: boolean;
  /** Whether the message was taken; until then it stays in the box. */
  onSay: (text: string) => Promise<boolean>;
}

export function ReplyBox({ input, busy, onSay }: ReplyBoxProps) {
  const [text, setText] = useState('');

  async function submit(event: TargetedSubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    input.current?.focus();
    const message = text.trim();
    if (message === '' || busy) return;
    if (await onSay(message)) setText((now) => (now === text ? '' : now));
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
          rows={1}
          placeholder="Write to the customer"
          value={text}
          ref={input}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={enterSends}
        />
        <button type="submit" class="send" disabled={busy}>
          <SendIcon />
          <span class="visually-hidden">Send</span>
        </button>
      </div>
    </form>
  );
}
