import { ioremapSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
ioremapSuite(manifest, { cpus: [1] });
ioremapSuite(manifest, { cpus: [2], knobs: [{ allowSmp: true }], reachesRunningCpus: false });
