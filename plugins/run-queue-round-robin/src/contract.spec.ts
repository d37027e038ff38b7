import { manifestSuite, runQueueSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
runQueueSuite(manifest, { knobs: [{ slice: 50 }, { slice: 7 }, {}] });
