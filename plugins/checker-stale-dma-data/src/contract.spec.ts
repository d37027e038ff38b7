import type { VocabularyFact } from '@tablewalk/contracts';
import { checkerSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

const LINE = { cpu: 0, va: 0, pa: 0x8000_0800 };
const dropped: VocabularyFact = { type: 'CacheLineDropped', ...LINE, dirty: false, meant: LINE.pa };
const deviceWrote: VocabularyFact = { type: 'DeviceWrote', pa: 0x8000_0000, bytes: 4096 };

manifestSuite(manifest);
checkerSuite(manifest, {
  catches: {
    played: [
      [
        { type: 'CacheLineFilled', ...LINE },
        deviceWrote,
        dropped,
        { type: 'CacheLineFilled', ...LINE },
        deviceWrote,
        { type: 'StaleLineRead', ...LINE },
      ],
      [
        { type: 'CacheLineDirtied', ...LINE },
        { type: 'CacheLineWrittenBack', ...LINE },
        { type: 'CacheLineDirtied', ...LINE },
        deviceWrote,
        { type: 'CacheLineWrittenBack', ...LINE },
        { type: 'StaleLineWrittenBack', ...LINE },
      ],
    ],
  },
});
