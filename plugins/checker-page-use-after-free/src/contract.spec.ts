import { checkerSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
checkerSuite(manifest, { catches: { slots: { 'mmu-gather': 'mmu-gather-immediate' } } });
