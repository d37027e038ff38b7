import { disableIrqs, enableIrqs } from './kernel.ts';
import { order } from './program.ts';
import type { ProgramContext, Routine } from './program.ts';
import type { IoremapPlugin } from './slots.ts';

/**
 * The last part of switch_mm, `load`, which ends with TTBR0 written: before it, where a machine has slot
 * `ioremap`, the kernel entries of the next address space are brought up to date (check_context of
 * arch/arm/include/asm/mmu_context.h). A machine without the slot takes the steps of `load` and no others.
 */
export function* loadWithKernelEntries(
  ioremap: IoremapPlugin | undefined,
  context: ProgramContext,
  next: number,
  load: () => Routine,
): Routine {
  if (ioremap === undefined) return yield* load();
  const masked = ioremap.switchMasksIrqs === true;
  if (masked) yield* order(disableIrqs(context.cpu));
  yield* ioremap.checkVmallocSeq(context, next);
  yield* load();
  if (masked) yield* order(enableIrqs(context.cpu));
}
