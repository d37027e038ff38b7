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
 * How `catchUp` reads init_mm's number beside the words that it copies. `relaxed`, as Linux had it from 5.18 to 6.12:
 * the loads of the memcpy may be satisfied before that of the number, so that old words go with a new number (HB-15 of
 * spec/historical-bugs-mapping.md; IO-2 of spec/ioremap.md, 4). Here the copy then is a step before the read.
 */
export type CopyOrder = 'acquire' | 'relaxed';

/**
 * The check of switch_mm, and __check_vmalloc_seq where it finds the tables behind. The number is read before
 * the words are copied and published after them; a change meanwhile makes another round.
 */
export function* catchUp(
  kernel: KernelTables,
  context: ProgramContext,
  mm: number,
  copyOrder: CopyOrder = 'acquire',
): Routine {
  const check = (view: View): number => Number(seqOf(view, mm) !== seqOf(view, 0));
  const behind = yield* read(check, `vmalloc_seq of mm ${mm} and init_mm`);
  if (behind === 0) return;
  if (copyOrder === 'relaxed') return yield* copyThenRead(kernel, context, mm);
  for (let seq = yield* readSeq(); ;) {
    yield* kernel.copyVmalloc(context, mm);
    yield* publishSeq(mm, seq);
    const now = yield* readSeq();
    if (now === seq) return;
    seq = now;
  }
}

function* copyThenRead(kernel: KernelTables, context: ProgramContext, mm: number): Routine {
  for (;;) {
    yield* kernel.copyVmalloc(context, mm);
    const seq = yield* readSeq();
    yield* publishSeq(mm, seq);
    if ((yield* readSeq()) === seq) return;
  }
}

const readSeq = (): Routine<number> => read((view) => seqOf(view, 0), "init_mm's vmalloc_seq");
const publishSeq = (mm: number, seq: number): Routine =>
  order({ to: 'ioremap', type: 'PublishSeq', mm, seq } as Command);
