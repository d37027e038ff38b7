import { kmapSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
kmapSuite(manifest, { kind: 'slow', pins: false, knobs: [{ slots: 5 }, { slots: 9, base: 0xc000_0000 }] });
