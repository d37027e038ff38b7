import { cacheSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

/** Small caches, which evict; an outer one; both write policies; one L1 for both sides. */
const SMALL = { size: '1KiB', ways: 2, line: 32 };
const KNOBS = [
  { instruction: SMALL, data: SMALL },
  { instruction: SMALL, data: SMALL, outer: { size: '8KiB', ways: 4, line: 32 } },
  { unified: SMALL, writePolicy: 'write-through' },
];

manifestSuite(manifest);
cacheSuite(manifest, { flushesPages: true, knobs: KNOBS });
