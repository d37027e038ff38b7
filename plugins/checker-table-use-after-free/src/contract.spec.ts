import type { VocabularyFact } from '@tablewalk/contracts';
import { checkerSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

const PFN = 0x80010;
const table = PFN * 4096;
const freed: VocabularyFact = { type: 'PageFreed', pfn: PFN, order: 0 };
const walk = { cpu: 1, speculative: true, inherited: 0 };

const played: readonly (readonly VocabularyFact[])[] = [
  // The dying pgd of v3.3 without the flag: an entry of init_mm was copied, and pgd_free follows it.
  [{ type: 'PudPopulated', mm: 0, va: 0x8000_0000, table }, freed],
  [
    { type: 'PmdPopulated', mm: 1, va: 0, table },
    { type: 'WalkStarted', ...walk, va: 0x8000, asid: 1, level: 1, pa: 0x8010_0000 },
    { type: 'WalkDescended', ...walk, level: 2, pa: table + 0x820 },
    { type: 'PmdCleared', mm: 1, va: 0, table },
    freed,
    { type: 'WalkEnded', cpu: 1, speculative: true },
  ],
];

manifestSuite(manifest);
checkerSuite(manifest, { catches: { played } });
