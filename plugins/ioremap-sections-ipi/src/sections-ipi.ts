import { acknowledgeIpi, awaitIpis, cpusKey, interrupt, order, read } from '@tablewalk/contracts';
import type { FramesPlugin, IoremapPlugin, ProgramContext, Routine, TlbPlugin } from '@tablewalk/contracts';
import { catchUp, deviceMappings, incrementVmallocSeq } from '@tablewalk/vmalloc';
import type { VmallocDeps } from '@tablewalk/vmalloc';

/**
 * "This could probably be fixed by sending an IPI to the other processors, forcing them to resync their page
 * table right after clearing the mapping from the master table. But no one implemented it so far." (Nicolas
 * Pitre, linux-arm-kernel, 1 October 2013.) spec/ioremap.md, 3, policy `ipi-resync`: clear, interrupt, wait,
 * and only then free and reuse. The rest is as in 2.6.39 (spec/ioremap.md, 2).
 *
 * 1. Every other CPU is interrupted, whatever it runs: one without a process of its own has borrowed tables.
 * 2. The handler copies for the mm in TTBR0. A switch that has checked the next mm and not yet loaded it
 *    would be passed over: `switchMasksIrqs` keeps the interrupt out of that window.
 * 3. iounmap has IRQs on and may wait; no caller in an interrupt, and none with IRQs off.
 */
export interface SectionsIpiConfig {
  readonly switchMasksIrqs: boolean;
  readonly waitForAcks: boolean;
}

export function sectionsIpi(
  { switchMasksIrqs, waitForAcks }: SectionsIpiConfig,
  cpus: number,
  { frames, tlb }: { readonly frames: FramesPlugin; readonly tlb: TlbPlugin },
  deps: VmallocDeps,
): IoremapPlugin {
  const { kernel, cache } = deps;
  const { pmdSize } = kernel;

  function* remapAreaSections(context: ProgramContext, va: number, pa: number, bytes: number): Routine {
    yield* unmapAreaSections(context, va, bytes);
    for (let done = 0; done < bytes; done += pmdSize)
      yield* kernel.setSections(context, va + done, pa + done);
  }

  function* unmapAreaSections(context: ProgramContext, va: number, bytes: number): Routine {
    const { cpu } = context;
    yield* cache.flushKmaps(context); // flush_cache_vunmap
    const tables: number[] = [];
    let cleared = false;
    for (let each = va; each < va + bytes; each += pmdSize) {
      const none = yield* read((view) => Number(kernel.entry(view, each) === 'none'), "init_mm's word");
      if (none === 1) continue;
      cleared = true;
      const table = yield* kernel.clearPmd(context, each);
      yield* incrementVmallocSeq();
      if (table !== undefined) tables.push(table);
    }
    // Where init_mm had nothing, nobody has anything.
    if (!cleared) return;
    const [startVpn, endVpn] = [va / 4096, (va + bytes) / 4096];
    const sent = yield* interrupt(cpu, others(cpus, cpu), HANDLER, [startVpn, endVpn]);
    yield* resync(context, startVpn, endVpn);
    if (waitForAcks) yield* awaitIpis(sent, 'acknowledgement of a resync of kernel entries');
    for (const table of tables) yield* frames.free(table); // pte_free_kernel
  }

  /** On each CPU: the tables that it walks have what init_mm has, and its TLB forgets the rest. */
  function* resync(context: ProgramContext, startVpn: number, endVpn: number): Routine {
    const activeMm = yield* read((view) => view(cpusKey)[context.cpu]?.mm ?? 0, 'active_mm');
    yield* catchUp(kernel, context, activeMm);
    yield* order(tlb.invalidate(context.cpu, 'va-all-asids', 0, startVpn, endVpn));
  }

  return {
    ...deviceMappings(deps, { remap: remapAreaSections, unmap: unmapAreaSections }),
    switchMasksIrqs,
    checkVmallocSeq: (context, mm) => catchUp(kernel, context, mm),
    programs: {
      *'resync-kernel-entries'(context) {
        const [id, startVpn, endVpn] = context.args as [number, number, number];
        yield* resync(context, startVpn, endVpn);
        yield* order(acknowledgeIpi(id, context.cpu));
      },
    },
  };
}

const HANDLER = 'ioremap/resync-kernel-entries';
const others = (cpus: number, self: number): number[] =>
  Array.from({ length: cpus }, (_, cpu) => cpu).filter((cpu) => cpu !== self);
