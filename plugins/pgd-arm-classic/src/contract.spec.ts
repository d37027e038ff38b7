import { manifestSuite, pgdSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
pgdSuite(manifest, { knobs: [{}, { faultLock: true }], formats: [{}, { vectors: 'low' }] });
pgdSuite(manifest, { formats: [{ pageOffset: '0x80000000' }] });
pgdSuite(manifest, { knobs: [{ freeEntryZero: 'if-low-vectors' }], leaks: true });
