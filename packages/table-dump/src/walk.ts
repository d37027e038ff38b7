import { newWalk, WalkStage } from '@tablewalk/contracts';
import type { DescriptorLayout, Regime, TableFormat, Walk } from '@tablewalk/contracts';
import type { TablePages } from './pages.ts';

/** One descriptor that a walk read. */
export interface WalkStep {
  readonly level: number;
  /** Physical byte address of the descriptor; its value, `hi` 0 in formats of 32 bits. */
  readonly pa: number;
  readonly lo: number;
  readonly hi: number;
  readonly layout: DescriptorLayout;
}

export interface Translation {
  readonly va: number;
  readonly steps: readonly WalkStep[];
  /** At stage `table` only where `absent` is. */
  readonly walk: Walk;
  /** Physical byte address of a descriptor in a page that the dump lacks: there the walk is not known any further. */
  readonly absent?: number;
}

/**
 * Carries a walk to its end: leaf or fault. It stays at stage `table` where the dump lacks the page of the next
 * descriptor; then `walk.pa` is that descriptor's address. The loop of `walk.ts` and of every row of golden data.
 */
export function finishWalk(
  regime: Regime,
  wordBytes: 4 | 8,
  pages: TablePages,
  walk: Walk,
  va: number,
): void {
  regime.begin(walk, va);
  while (walk.stage === WalkStage.table && pages.has(walk.pa)) {
    const { pa } = walk;
    regime.descend(walk, pages.read32(pa), wordBytes === 8 ? pages.read32(pa + 4) : 0);
  }
}

/** The same walk with every descriptor on its way. */
export function translate(format: TableFormat, regime: Regime, pages: TablePages, va: number): Translation {
  const walk = newWalk();
  const steps: WalkStep[] = [];
  regime.begin(walk, va);
  while (walk.stage === WalkStage.table) {
    const { pa, level } = walk;
    if (!pages.has(pa)) return { va, steps, walk, absent: pa };
    const lo = pages.read32(pa);
    const hi = format.wordBytes === 8 ? pages.read32(pa + 4) : 0;
    steps.push({ level, pa, lo, hi, layout: format.layoutOf(level, lo, hi) });
    regime.descend(walk, lo, hi);
  }
  return { va, steps, walk };
}

/** Physical byte address that a leaf gives for the walk's own virtual address. */
export const outputAddress = ({ base, shift, va }: Walk): number => base + (va % 2 ** shift);
