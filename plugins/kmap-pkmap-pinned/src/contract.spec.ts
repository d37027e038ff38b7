import { kmapSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
kmapSuite(manifest, { kind: 'slow', pins: true, knobs: [{ slots: 5 }, { slots: 9, irqSafe: false }] });
