import { manifestSuite, replacementSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
replacementSuite(manifest);
