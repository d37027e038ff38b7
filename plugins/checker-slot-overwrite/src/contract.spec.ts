import type { VocabularyFactOf } from '@tablewalk/contracts';
import { checkerSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

type SlotFact = VocabularyFactOf<'KmapSlotMapped' | 'KmapSlotUnmapped'>;
const of = (type: SlotFact['type'], slot: number, pfn: number): SlotFact => ({
  type,
  slot,
  pfn,
  va: 0xfff0_0000 + slot * 4096,
});

manifestSuite(manifest);
checkerSuite(manifest, {
  catches: {
    played: [
      [
        of('KmapSlotMapped', 3, 0x80001),
        of('KmapSlotMapped', 4, 0x80002),
        of('KmapSlotUnmapped', 3, 0x80001),
        of('KmapSlotMapped', 3, 0x80003),
        of('KmapSlotMapped', 3, 0x80003),
        of('KmapSlotMapped', 4, 0x80003),
      ],
    ],
  },
});
