import type { Manifest } from '@tablewalk/contracts';
import { boundlessTlbManifest } from '../reference/boundless-tlb-manifest.ts';
import { noCacheManifest } from '../reference/no-cache.ts';
import { inSlot } from '../small-machine.ts';
import type { Knobs, SmallMachine } from '../small-machine.ts';

/**
 * What stands around a plugin whose suite asks what a TLB may still hold: the TLB that forgets nothing by
 * itself, and no caches. Everything else is the default.
 */
export function besideBoundlessTlb(manifest: Manifest, knobs: Knobs): SmallMachine {
  const own = inSlot(manifest, knobs);
  return {
    ...own,
    slots: { tlb: boundlessTlbManifest.id, cache: noCacheManifest.id, ...own.slots },
    known: [boundlessTlbManifest, noCacheManifest, manifest],
  };
}
