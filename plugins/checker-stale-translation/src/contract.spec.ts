import { checkerSuite, lameShootdownManifest, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
checkerSuite(manifest, {
  catches: { slots: { shootdown: lameShootdownManifest.id }, known: [lameShootdownManifest] },
});
