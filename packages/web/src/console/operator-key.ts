import type { KeyValue } from '../storage.ts';

const OPERATOR_KEY = 'holdfast.operator_key';

/** Where the operator's key is until the tab is closed or its operator signs out. */
export interface OperatorKey {
  read(): string | null;
  write(key: string): void;
  clear(): void;
}

/** A browser that refuses storage gets a key that lasts as long as the page. */
export function createOperatorKey(storage: KeyValue | null): OperatorKey {
  let remembered: string | null = null;
  function attempt<Value>(work: (storage: KeyValue) => Value): Value | null {
    try {
      return storage === null ? null : work(storage);
    } catch {
      storage = null;
      return null;
    }
  }
  return {
    read: () => remembered ?? attempt((kept) => kept.getItem(OPERATOR_KEY)),
    write(key) {
      remembered = key;
      attempt((kept) => kept.setItem(OPERATOR_KEY, key));
    },
    clear() {
      remembered = null;
      attempt((kept) => kept.removeItem(OPERATOR_KEY));
    },
  };
}
