import { manifestSuite, tlbSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

/** TLBs so small that they evict all the time; both levels; several page sizes. */
const KNOBS = [
  {},
  { first: { unified: { entries: 4, ways: 2 } }, with: { replacement: 'replacement-fifo' } },
  { first: { instruction: { entries: 2 }, data: { entries: 3 } }, second: { entries: 8, ways: 2 } },
  { first: { unified: { entries: 2 } }, second: { entries: 4, ways: 1 }, microFlush: true },
];

manifestSuite(manifest);
tlbSuite(manifest, { knobs: KNOBS });
