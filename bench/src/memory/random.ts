/** Picks items at random, the same ones in every run (xorshift32: Marsaglia, "Xorshift RNGs", 2003). */
export function randomPicker<Item>(items: readonly Item[]): (count: number) => Item[] {
  let state = 2_463_534_242;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return (count) =>
    Array.from({ length: count }, () => items[Math.floor(next() * items.length)] as Item);
}
