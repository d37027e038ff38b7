import type { VocabularyFactOf } from '@tablewalk/contracts';
import { checkerSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

const [VA, BYTES] = [0xf080_0000, 2 ** 21];
const [DEV1, DEV2] = [0x4000_0000, 0x4040_0000];
const of = (
  type: 'DeviceMapped' | 'DeviceUnmapped',
  pa: number,
): VocabularyFactOf<'DeviceMapped' | 'DeviceUnmapped'> => ({ type, va: VA, pa, bytes: BYTES });
const reached = (pa: number): VocabularyFactOf<'AccessPerformed'> => ({
  type: 'AccessPerformed',
  cpu: 1,
  mm: 2,
  va: VA,
  pa,
  write: false,
});

manifestSuite(manifest);
checkerSuite(manifest, {
  catches: {
    played: [
      [of('DeviceMapped', DEV1), reached(DEV1), of('DeviceUnmapped', DEV1), reached(DEV1)],
      [of('DeviceMapped', DEV1), of('DeviceUnmapped', DEV1), of('DeviceMapped', DEV2), reached(DEV1)],
    ],
  },
});
