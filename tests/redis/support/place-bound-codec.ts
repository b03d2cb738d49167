import type { Codec } from 'holdfast/redis';

/** JSON that is worth nothing elsewhere than where it was made for, as what a cipher authenticates. */
export const placeBoundCodec: Codec = {
  name: 'place-bound',
  authenticates: true,
  encode: (value, place) => JSON.stringify([place, value]),
  decode: (bytes, place) => {
    const [made, value] = JSON.parse(bytes.toString());
    for (const [name, at] of Object.entries(place)) {
      if (made[name] !== at) throw new Error(`Made for ${name} ${made[name]}, and read at ${at}.`);
    }
    return value;
  },
  isStale: () => false,
  userNames: (userId) => [`of-${userId}`],
};
