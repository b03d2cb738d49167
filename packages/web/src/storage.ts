import { parseJson } from './http.ts';

/** The part of the browser's storage that is needed here. */
export type KeyValue = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** `null` where the browser forbids storage, which it does by throwing. */
export function browserStorage(kind: 'localStorage' | 'sessionStorage'): Storage | null {
  try {
    return window[kind];
  } catch {
    return null;
  }
}

/** What a page knows again after a reload. */
export interface Kept {
  /** `undefined` where there is nothing, or nothing that can be read. */
  read(): unknown;
  /** `null` forgets it. */
  write(value: object | null): void;
}

/** A browser that refuses storage (`null`, or a throw) gets a page that forgets. */
export function keptIn(storage: KeyValue | null, name: string): Kept {
  let written: string | null = null;
  return {
    read: () => parseJson(attempt(() => storage?.getItem(name)) ?? ''),
    write(value) {
      const text = value === null ? null : JSON.stringify(value);
      if (text !== null && text === written) return;
      written = text;
      // Where there is no room for it, an older one must not be taken for this one.
      attempt(() => storage?.removeItem(name));
      if (text !== null) attempt(() => storage?.setItem(name, text));
    },
  };
}

function attempt<Value>(work: () => Value): Value | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
