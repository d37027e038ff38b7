import type { VocabularyFactOf } from '@tablewalk/contracts';
import { checkerSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

type Dropped = VocabularyFactOf<'CacheLineDropped'>;
const dropped = (pa: number, meant: number, dirty: boolean): Dropped => ({
  type: 'CacheLineDropped',
  cpu: 0,
  va: 0xbfe0_0800,
  pa,
  dirty,
  meant,
});

manifestSuite(manifest);
checkerSuite(manifest, {
  catches: {
    played: [
      [
        dropped(0x8000_0800, 0x8000_0800, true),
        dropped(0x8000_0800, 0x8000_0000, true),
        dropped(0x8001_0800, 0x8000_0800, false),
        dropped(0x8001_0800, 0x8000_0800, true),
      ],
    ],
  },
});
