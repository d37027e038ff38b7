import { manifestSuite, mmuGatherSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
mmuGatherSuite(manifest, { knobs: [{}, { bundle: 1 }, { bundle: 3, rangeCeiling: 2 }] });
