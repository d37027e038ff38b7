import { order, read } from '@tablewalk/contracts';
import type { Command, KernelTables, ProgramContext, Routine, View } from '@tablewalk/contracts';
import { vmallocKey } from './areas.ts';

/**
 * vmalloc_seq (arch/arm/mm/ioremap.c, arch/arm/include/asm/mmu_context.h; spec/ioremap.md, 2.4): a number
 * that init_mm's first level has, and every other knows which one it was copied at.
 */
export const seqOf = (view: View, mm: number): number => view(vmallocKey).seq[mm] ?? 0;

export const incrementVmallocSeq = (): Routine => order({ to: 'ioremap', type: 'IncrementSeq' });

/**
 * The check of switch_mm, and __check_vmalloc_seq where it finds the tables behind. The number is read before
 * the words are copied and published after them; a change meanwhile makes another round.
 */
export function* catchUp(kernel: KernelTables, context: ProgramContext, mm: number): Routine {
  const check = (view: View): number => Number(seqOf(view, mm) !== seqOf(view, 0));
  const behind = yield* read(check, `vmalloc_seq of mm ${mm} and init_mm`);
  if (behind === 0) return;
  for (let seq = yield* readSeq(); ;) {
    yield* kernel.copyVmalloc(context, mm);
    yield* order({ to: 'ioremap', type: 'PublishSeq', mm, seq } as Command);
    const now = yield* readSeq();
    if (now === seq) return;
    seq = now;
  }
}

const readSeq = (): Routine<number> => read((view) => seqOf(view, 0), "init_mm's vmalloc_seq");
