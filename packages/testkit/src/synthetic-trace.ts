import { prngBelow, prngSeed } from '@tablewalk/base';
import { accessBatch, AccessKind, pushAccess } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';

/**
 * References of a made-up program: a loop of instructions with data here and there in `pages` pages,
 * half of the time in the page where it was last. The same seed gives the same references.
 */
export interface SyntheticProgram {
  readonly seed: number;
  readonly references: number;
  readonly pages: number;
  /** References of a batch. */
  readonly batch?: number;
}

const CODE_BASE = 0x0001_0000;
const DATA_BASE = 0x0040_0000;

export function syntheticTrace({
  seed,
  references,
  pages,
  batch: capacity = 256,
}: SyntheticProgram): AccessBatch[] {
  const random = prngSeed(seed, 0x7ace);
  const codePages = Math.max(1, Math.floor(pages / 4));
  const batches: AccessBatch[] = [];
  let page = 0;
  let pc = CODE_BASE;
  for (let i = 0; i < references; i++) {
    if (i % capacity === 0) batches.push(accessBatch(capacity));
    const batch = batches.at(-1) as AccessBatch;
    if (i % 3 !== 2) {
      pc = prngBelow(random, 16) === 0 ? CODE_BASE + prngBelow(random, codePages * 1024) * 4 : pc + 4;
      if (pc >= CODE_BASE + codePages * 4096) pc = CODE_BASE;
      pushAccess(batch, AccessKind.fetch, pc, 4);
      continue;
    }
    if (prngBelow(random, 2) === 0) page = prngBelow(random, Math.max(1, pages - codePages));
    // Eight bytes from anywhere in the page: some references cross into the next one.
    const va = DATA_BASE + page * 4096 + prngBelow(random, 4096);
    const kind = [AccessKind.load, AccessKind.load, AccessKind.store, AccessKind.modify][
      prngBelow(random, 4)
    ] as AccessKind;
    pushAccess(batch, kind, va, 1 + prngBelow(random, 8));
  }
  return batches;
}
