import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';

/** LRU as a third party would write it first: time stamps, a method for each question, no fast facet. */
export const plainLru = defineManifest({
  id: 'replacement-plain-lru',
  slot: 'replacement',
  version: '1.0.0',
  summary: 'LRU by time stamps, for the bench.',
  source: 'bench trace',
  requires: [],
  config: z.strictObject({}),
  create: () => ({
    policy: {
      words: (ways) => ways + 1,
      reset(lane, base, ways) {
        lane.fill(0, base, base + ways + 1);
      },
      touch: renew,
      fill: renew,
      victim(lane, base, ways) {
        let oldest = 0;
        for (let way = 1; way < ways; way++)
          if ((lane[base + way] as number) < (lane[base + oldest] as number)) oldest = way;
        return oldest;
      },
    },
  }),
});

function renew(lane: Int32Array, base: number, ways: number, way: number): void {
  const clock = lane[base + ways] as number;
  if (clock !== 0 && lane[base + way] === clock) return;
  lane[base + ways] = clock + 1;
  lane[base + way] = clock + 1;
}
