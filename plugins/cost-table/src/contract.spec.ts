import { costSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
costSuite(manifest, { knobs: [{}, { hit: 0, ipiDelivery: 0 }] });
