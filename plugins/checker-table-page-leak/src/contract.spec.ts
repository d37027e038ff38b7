import { checkerSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
checkerSuite(manifest, {
  catches: { slots: { pgd: { use: 'pgd-arm-classic', freeEntryZero: 'if-low-vectors' } } },
});
