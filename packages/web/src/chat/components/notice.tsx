import type { NoticeEntry } from '../entries.ts';

interface NoticeProps {
  entry: NoticeEntry;
  onReload: () => void;
  onEarlier: () => void;
}

export function Notice({ entry, onReload, onEarlier }: NoticeProps) {
  return (
    <div class="notice">
      <p>{entry.text}</p>
      {entry.action === 'reload' && (
        <button type="button" class="quiet" onClick={onReload}>
          Check again
        </button>
      )}
      {entry.action === 'earlier' && (
        <button type="button" class="quiet" onClick={onEarlier}>
          Show them
        </button>
      )}
    </div>
  );
}
