import { ioremapSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
ioremapSuite(manifest, { cpus: [1, 2, 3], knobs: [{}, { order: 'relaxed', syncOnError: false }] });
