import { useLayoutEffect, useRef } from 'preact/hooks';

interface EndDialogProps {
  open: boolean;
  onEnd: () => void;
  onClose: () => void;
}

/** Asks first: what is ended cannot be opened again. Escape closes it, and the focus goes back. */
export function EndDialog({ open, onEnd, onClose }: EndDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  // At once: the next key is meant for it.
  useLayoutEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);

  function end() {
    // Closed first: until then nothing else may have the focus.
    dialog.current?.close();
    onEnd();
  }

  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="end-title" aria-describedby="end-text">
      <h2 id="end-title">End this chat?</h2>
      <p id="end-text">
        Its messages are deleted, for our team as well, and it cannot be opened again.
      </p>
      <div class="choices">
        <button type="button" class="quiet" onClick={onClose}>
          Keep it
        </button>
        <button type="button" onClick={end}>
          End chat
        </button>
      </div>
    </dialog>
  );
}
