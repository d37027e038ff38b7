import { manifestSuite, reclaimSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
reclaimSuite(manifest);
