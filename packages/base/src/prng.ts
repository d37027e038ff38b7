/**
 * sfc32, a small fast counter generator (C. Doty-Humphrey, PractRand). Its state is four numbers in
 * plain data, so that a generator can be stored in a slice, recorded and branched.
 */
export type PrngState = [a: number, b: number, c: number, counter: number];

/** Seeds from any safe integer; the first outputs are thrown away, as its author advises. */
export function prngSeed(seed: number, stream = 0): PrngState {
  const state: PrngState = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, stream >>> 0, 1];
  for (let i = 0; i < 12; i++) prngNext(state);
  return state;
}

/** The next unsigned 32-bit number; advances the state in place. */
export function prngNext(state: PrngState): number {
  const mixed = (state[0] + state[1] + state[3]) | 0;
  state[3] = (state[3] + 1) | 0;
  state[0] = state[1] ^ (state[1] >>> 9);
  state[1] = (state[2] + (state[2] << 3)) | 0;
  state[2] = (((state[2] << 21) | (state[2] >>> 11)) + mixed) | 0;
  return mixed >>> 0;
}

/** A number in [0, bound), by multiplication (bias below 2^-32 x bound, and the same everywhere). */
export function prngBelow(state: PrngState, bound: number): number {
  const drawn = prngNext(state);
  if (bound > INTEGER_BOUND_MAX) return Math.floor((drawn / 2 ** 32) * bound);
  // The upper half of the product of 64 bits, by halves of the number drawn: no floating point.
  return (Math.imul(drawn >>> 16, bound) + (Math.imul(drawn & 0xffff, bound) >>> 16)) >>> 16;
}

/** Up to it, 16 bits times the bound fit in 31. */
const INTEGER_BOUND_MAX = 2 ** 15;
