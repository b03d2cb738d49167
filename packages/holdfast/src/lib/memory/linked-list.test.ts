import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Linked, LinkedList } from './linked-list.ts';

class Node implements Linked<Node> {
  previous: Node | null = null;
  next: Node | null = null;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

const nodes = (names: string) => [...names].map((name) => new Node(name));

/** The names from the first on, read along `next`; the links back must say the same. */
function namesOf(list: LinkedList<Node>): string {
  let names = '';
  let previous: Node | null = null;
  for (let node = list.first; node !== null; node = node.next) {
    expect(node.previous).toBe(previous);
    names += node.name;
    previous = node;
  }
  expect(list.size).toBe(names.length);
  return names;
}

function listOf(entries: readonly Node[]): LinkedList<Node> {
  const list = new LinkedList<Node>();
  for (const entry of entries) list.append(entry);
  return list;
}

describe('LinkedList', () => {
  it('is empty at first', () => {
    expect(namesOf(new LinkedList())).toBe('');
  });

  it('appends in order', () => {
    expect(namesOf(listOf(nodes('abc')))).toBe('abc');
  });

  it.each([
    ['the first', 0, 'bc'],
    ['the middle', 1, 'ac'],
    ['the last', 2, 'ab'],
  ])('removes %s, and unlinks it', (_, index, left) => {
    const entries = nodes('abc');
    const list = listOf(entries);
    const removed = entries[index] as Node;
    list.remove(removed);
    expect(namesOf(list)).toBe(left);
    expect([removed.previous, removed.next]).toEqual([null, null]);
    list.append(removed);
    expect(namesOf(list)).toBe(left + removed.name);
  });

  it('is empty again, and usable, after its only entry is gone', () => {
    const [a, b] = nodes('ab') as [Node, Node];
    const list = listOf([a]);
    list.remove(a);
    expect([list.first, list.size]).toEqual([null, 0]);
    list.append(b);
    expect(namesOf(list)).toBe('b');
  });

  it('inserts first, in the middle and last', () => {
    const [a, b, c, d, e] = nodes('abcde') as [Node, Node, Node, Node, Node];
    const list = new LinkedList<Node>();
    list.insertAfter(null, b);
    list.insertAfter(null, a);
    list.insertAfter(b, d);
    list.insertAfter(b, c);
    list.insertAfter(d, e);
    expect(namesOf(list)).toBe('abcde');
    list.append(new Node('f'));
    expect(namesOf(list)).toBe('abcdef');
  });

  it('behaves as an array does', () => {
    const step = fc.record({
      what: fc.constantFrom('append', 'insert', 'remove'),
      at: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const list = new LinkedList<Node>();
        const model: Node[] = [];
        steps.forEach(({ what, at }, index) => {
          const node = new Node(String.fromCharCode(97 + (index % 26)));
          const place = model.length === 0 ? 0 : at % model.length;
          if (what === 'append') {
            list.append(node);
            model.push(node);
          } else if (what === 'insert') {
            // Behind the entry at `place`, or first when `at` is 0.
            list.insertAfter(at === 0 ? null : (model[place] ?? null), node);
            model.splice(at === 0 || model.length === 0 ? 0 : place + 1, 0, node);
          } else if (model.length > 0) {
            const [removed] = model.splice(place, 1);
            if (removed !== undefined) list.remove(removed);
          }
          expect(namesOf(list)).toBe(model.map(({ name }) => name).join(''));
        });
      }),
    );
  });
});
