import { manifestSuite, schedulerSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
schedulerSuite(manifest, { asksOutside: true });
