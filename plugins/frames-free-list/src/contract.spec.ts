import { framesSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
framesSuite(manifest, { knobs: [{}, { order: 'ascending' }, { blockShare: 0.5 }] });
