import { manifestSuite, mmSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
mmSuite(manifest, { knobs: [{}, { reclaimPages: 1 }] });
