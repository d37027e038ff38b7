import { kmapSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
kmapSuite(manifest, { kind: 'atomic', knobs: [{}, { types: 2, base: 0xfffe_0000, debugHighmem: true }] });
