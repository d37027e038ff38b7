import { manifestSuite, shootdownSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
shootdownSuite(manifest);
