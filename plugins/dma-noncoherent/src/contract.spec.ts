import { dmaSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

const NOTHING = { 'to-device': 'nothing', 'from-device': 'nothing', bidirectional: 'nothing' } as const;
const SPECULATED = { ...NOTHING, 'from-device': 'invalidate', bidirectional: 'invalidate' } as const;

/** The table of spec/caches-and-dma.md, 4.1. */
manifestSuite(manifest);
dmaSuite(manifest, [
  {
    knobs: {},
    map: { 'to-device': 'clean', 'from-device': 'invalidate', bidirectional: 'clean-invalidate' },
    unmap: NOTHING,
  },
  {
    knobs: { core: 'v7', linesPerPage: 128 },
    map: { 'to-device': 'clean', 'from-device': 'invalidate', bidirectional: 'clean' },
    unmap: SPECULATED,
  },
  {
    knobs: { core: 'arm64', linesPerPage: 1 },
    map: { 'to-device': 'clean', 'from-device': 'clean', bidirectional: 'clean' },
    unmap: SPECULATED,
  },
]);
