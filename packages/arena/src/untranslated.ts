import { newTrap, PIECES_PER_ACCESS_MAX } from '@tablewalk/contracts';
import type { AccessBatch, TlbEngine, TranslatedBatch } from '@tablewalk/contracts';
import { loopOf } from './loop/fused-loop.ts';
import type { LoopTlb } from './loop/fused-loop.ts';

/**
 * The exact facet of no TLB at all: physical addresses are the virtual ones, nothing is looked up or counted. A
 * reference is one piece, across pages too, since pages that lie side by side stay side by side.
 */
export function untranslated(cpus: number): TlbEngine {
  const counters = Array.from({ length: cpus }, () => new Float64Array(0));
  const engine: LoopTlb = {
    trap: newTrap(),
    translation: undefined,
    counterNames: [],
    translate: (_cpu, _context, batch, from, to, out) => copyPieces(batch, from, to, out),
    translateOne: (_cpu, _context, batch, i, out) => copyPieces(batch, i, i + 1, out) > i,
    fuse: (cache) => loopOf(engine, cache),
    invalidate: () => 0,
    watch: () => 0,
    watchFrame: () => 0,
    validEntries: () => ({}),
    counters: (cpu) => counters[cpu] as Float64Array,
    outcomeWord: () => 0,
    digest: () => '0',
    save: () => [],
    load() {},
  };
  return engine;
}

function copyPieces(batch: AccessBatch, from: number, to: number, out: TranslatedBatch): number {
  const room = out.capacity - PIECES_PER_ACCESS_MAX - out.count;
  const end = Math.min(to, from + Math.max(0, room));
  for (let i = from; i < end; i++) {
    const at = out.count++;
    out.kind[at] = batch.kind[i] as number;
    out.vaLo[at] = out.paLo[at] = batch.vaLo[i] as number;
    out.vaHi[at] = out.paHi[at] = batch.vaHi[i] as number;
    out.size[at] = batch.size[i] as number;
  }
  return end;
}
