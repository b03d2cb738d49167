/** Numbers from 0 to 1 at random, the same ones in every run (xorshift32: Marsaglia, "Xorshift RNGs", 2003). */
function randomNumbers(seed = 0): () => number {
  let state = (2_463_534_242 ^ Math.imul(seed, 2_654_435_761)) >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Picks items at random, the same ones in every run. */
export function randomPicker<Item>(items: readonly Item[]): (count: number) => Item[] {
  const next = randomNumbers();
  return (count) =>
    Array.from({ length: count }, () => items[Math.floor(next() * items.length)] as Item);
}

/**
 * Picks an id, the n-th with a probability of 1 / n (Zipf's law with an exponent of 1), and with it
 * another number from 0 to 1.
 */
export function zipfPicker(
  ids: readonly string[],
  seed: number,
): () => { readonly id: string; readonly share: number } {
  const next = randomNumbers(seed);
  const sums: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= ids.length; rank += 1) {
    sum += 1 / rank;
    sums.push(sum);
  }
  return () => {
    const at = next() * sum;
    let [low, high] = [0, ids.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return { id: ids[low] ?? '', share: next() };
  };
}
