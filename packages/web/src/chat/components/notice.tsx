import type { NoticeEntry } from '../entries.ts';

interface NoticeProps {
  entry: NoticeEntry;
  /** It is being read again. */
  loading: boolean;
  onReload: () => void;
  onEarlier: () => void;
}

export function Notice({ entry, loading, onReload, onEarlier }: NoticeProps) {
  return (
    <div class="notice">
      <p>{entry.text}</p>
      {entry.action === 'reload' && (
        <button type="button" class="quiet" disabled={loading} onClick={onReload}>
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
