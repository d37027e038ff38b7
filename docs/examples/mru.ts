import { defineManifest } from '@tablewalk/contracts';
import type { ReplacementPolicy } from '@tablewalk/contracts';
import { z } from 'zod';

/**
 * MRU: the way used last goes. Chou and DeWitt, "An Evaluation of Buffer Management Strategies for
 * Relational Database Systems", VLDB 1985: the best policy for a loop that is larger than the cache.
 *
 * Lane of a set: one word, the way used last.
 */
const mru: ReplacementPolicy = {
  words: () => 1,
  reset(lane, base) {
    lane[base] = 0;
  },
  touch(lane, base, _ways, way) {
    lane[base] = way;
  },
  fill(lane, base, _ways, way) {
    lane[base] = way;
  },
  victim: (lane, base) => lane[base] ?? 0,
};

export default defineManifest({
  id: 'replacement-mru',
  slot: 'replacement',
  version: '1.0.0',
  summary: 'The way used last goes.',
  source: 'Chou and DeWitt, VLDB 1985',
  requires: [],
  config: z.strictObject({}),
  create: () => ({ policy: mru }),
});
