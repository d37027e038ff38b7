import { manifestSuite, mmuGatherSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
mmuGatherSuite(manifest, { freesTooEarly: true, knobs: [{}, { rangeCeiling: 2 }] });
