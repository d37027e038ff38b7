import type { ReplacementPolicy } from '@tablewalk/contracts';

export interface RoundRobinKnobs {
  /** One pointer for each set (default), or one for the whole table, as small hardware has it. */
  readonly pointer?: 'set' | 'table';
}

/**
 * Round robin: a pointer starts at way 0; a fill goes to the way that it points at, valid or not, and
 * moves it on by one. ARM926EJ-S TRM (ARM DDI 0198), chapter 4: the caches replace at random or round
 * robin, by the RR bit of CP15 c1. The TRM does not say how many pointers there are, so that is a
 * knob. An invalidation does not move a pointer.
 *
 * Lane: the pointer of the set; with `pointer: 'table'` one global word.
 */
export function roundRobin(knobs: RoundRobinKnobs = {}): ReplacementPolicy {
  return knobs.pointer === 'table' ? perTable : perSet;
}

const perSet: ReplacementPolicy = {
  words: () => 1,
  ignoresHits: true,
  ownsInvalidWays: true,
  reset(lane, base) {
    lane[base] = 0;
  },
  touch() {},
  fill(lane, base, ways, way) {
    lane[base] = (way + 1) % ways;
  },
  victim: (lane, base) => lane[base] as number,
};

// The engine clears the global word once, when it makes the lane.
const perTable: ReplacementPolicy = {
  words: () => 0,
  globalWords: 1,
  ignoresHits: true,
  ownsInvalidWays: true,
  reset() {},
  touch() {},
  fill(lane, _base, ways, way, globals) {
    lane[globals] = (way + 1) % ways;
  },
  victim: (lane, _base, _ways, _random, globals) => lane[globals] as number,
};
