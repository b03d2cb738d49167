/** Links of an entry that is in at most one list at a time. */
export interface Linked<Entry> {
  previous: Entry | null;
  next: Entry | null;
}

/** A doubly linked list through its own entries: every operation is O(1) and allocates nothing. */
export class LinkedList<Entry extends Linked<Entry>> {
  #first: Entry | null = null;
  #last: Entry | null = null;
  #size = 0;

  get first(): Entry | null {
    return this.#first;
  }

  get size(): number {
    return this.#size;
  }

  append(entry: Entry): void {
    entry.previous = this.#last;
    entry.next = null;
    if (this.#last === null) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    this.#size += 1;
  }

  /** Puts the entry right behind `anchor`, or first when there is none. */
  insertAfter(anchor: Entry | null, entry: Entry): void {
    const next = anchor === null ? this.#first : anchor.next;
    if (next === null) {
      this.append(entry);
      return;
    }
    entry.previous = anchor;
    entry.next = next;
    next.previous = entry;
    if (anchor === null) this.#first = entry;
    else anchor.next = entry;
    this.#size += 1;
  }

  /** The entry must be in this list. */
  remove(entry: Entry): void {
    if (entry.previous === null) this.#first = entry.next;
    else entry.previous.next = entry.next;
    if (entry.next === null) this.#last = entry.previous;
    else entry.next.previous = entry.previous;
    entry.previous = null;
    entry.next = null;
    this.#size -= 1;
  }
}
