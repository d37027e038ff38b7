import { AccessKind, PIECES_PER_ACCESS_MAX, translatedBatch, TrapKind } from '@tablewalk/contracts';
import type {
  AccessBatch,
  CacheEngine,
  DataLoop,
  TlbEngine,
  TranslatedBatch,
  TranslationContext,
} from '@tablewalk/contracts';
import { CacheKind } from '../cache-counters.ts';
import type { CachePort } from '../cache-lines.ts';
import type { TlbCpu } from '../tlb-cpu.ts';
import { cacheParts, cacheShape } from './cache-parts.ts';
import { hitSource } from './hit-source.ts';
import type { HitShape } from './hit-source.ts';
import { RecentPages } from './recent-pages.ts';

/** Loops made so far. A text of its own for each: V8 keeps what it learns of a function by its text. */
let loops = 0;

/** A long access may span 17 pages, each with its walk. */
const ROOM = PIECES_PER_ACCESS_MAX * 17;
const KINDS = 4;

/** What a cache engine lets a loop be made of: its caches as each CPU sees them, counted by lines. */
export interface LoopCaches extends CacheEngine {
  /** Undefined where references are counted by other rules than lines, one by one. */
  readonly ports: readonly CachePort[] | undefined;
  /** Bits of the addresses that it has room for. */
  readonly vaBits: number;
  readonly paBits: number;
}
/** What a TLB engine does for a loop beside it. */
export interface LoopTlb extends TlbEngine {
  /** `translate` for access `i` alone, in the context entered last: false when it trapped. */
  translateOne(
    cpu: number,
    context: TranslationContext,
    batch: AccessBatch,
    i: number,
    out: TranslatedBatch,
  ): boolean;
}

export const isLoopCaches = (cache: CacheEngine): cache is LoopCaches =>
  (cache as Partial<LoopCaches>).ports !== undefined;

/**
 * Both stages of the data plane in one loop, made for one machine: references that hit the first-level TLB are
 * retired by generated code (hit-source.ts), all others one at a time by the two engines. What it leaves in
 * arenas, counters, pieces and traps is what `translate` and `run` would have left: a test holds them together.
 */
export class HitLoop implements DataLoop {
  private readonly cpus: readonly CpuLoop[];

  /** `cpus`: the first-level TLBs; undefined where nothing is translated. */
  constructor(tlb: LoopTlb, cpus: readonly TlbCpu[] | undefined, cache: LoopCaches) {
    const ports = cache.ports ?? [];
    this.cpus = ports.map((port, cpu) => new CpuLoop(tlb, cpus?.[cpu], cache, port));
  }

  run(cpu: number, context: TranslationContext, batch: AccessBatch, from: number, to: number): number {
    return (this.cpus[cpu] as CpuLoop).run(context, batch, from, to);
  }
}

type Hits = (
  i: number,
  to: number,
  kinds: Uint8Array,
  vaLo: Uint32Array,
  vaHi: Uint16Array,
  sizes: Uint16Array,
) => number;

class CpuLoop {
  private readonly hits: Hits;
  private readonly counts = new Float64Array(KINDS);
  /** Accesses of crossing references beyond one each, by kind of access to a cache. */
  private readonly extra = new Float64Array(KINDS);
  private readonly pieces = translatedBatch(ROOM);
  private readonly recent: RecentPages | undefined;
  private asid = -1;
  private ttbr = -1;

  constructor(
    private readonly tlb: LoopTlb,
    private readonly cpu: TlbCpu | undefined,
    private readonly cache: LoopCaches,
    private readonly port: CachePort,
  ) {
    const { instruction, data } = port;
    const virtual = instruction.isVirtuallyTagged || data.isVirtuallyTagged;
    const vaEnd = virtual ? Math.min(4096, hiEnd(cache.vaBits)) : 4096;
    const paEnd = hiEnd(cache.paBits);
    if (cpu !== undefined) {
      const lineShifts = [instruction.lineShift, data.lineShift, data.lineShift, data.lineShift];
      this.recent = new RecentPages(cpu, lineShifts, { va: vaEnd, pa: paEnd });
    }
    const shape: HitShape = {
      translation: cpu === undefined ? 'none' : 'recent',
      tellsTlb: cpu?.structures.some((structure) => structure.listensToHits) ?? false,
      caches: instruction === data ? [cacheShape(data)] : [cacheShape(instruction), cacheShape(data)],
      outer: data.below && cacheShape(data.below),
      hiMax: Math.min(vaEnd, paEnd) - 1,
    };
    const parts = {
      counters: port.counters,
      note: (event: number): void => {
        data.note(port.cpu, event);
      },
      counts: this.counts,
      extra: this.extra,
      recentPage: this.recent?.page,
      recentBase: this.recent?.base,
      recentSlot: this.recent?.slot,
      lastSlot: cpu?.last.slot,
      structureOf: cpu?.byKind,
      touchEntry: cpu === undefined ? undefined : touchEntryOf(cpu),
      cacheI: cacheParts(port, instruction),
      cacheD: cacheParts(port, data),
      cacheO: data.below && cacheParts(port, data.below),
    };
    // A loop that V8 compiles for this CPU's arrays and numbers alone (docs/adr/0011).
    this.hits = (
      new Function('parts', `${hitSource(shape)}\n// ${(loops += 1)}`) as (known: typeof parts) => Hits
    )(parts);
  }

  run(context: TranslationContext, batch: AccessBatch, from: number, to: number): number {
    const { tlb, cache, cpu, pieces, port } = this;
    const { kind, vaLo, vaHi, size } = batch;
    tlb.trap.kind = TrapKind.none;
    if (cpu !== undefined) this.enter(cpu, context);
    let i = from;
    for (;;) {
      i = this.hits(i, to, kind, vaLo, vaHi, size);
      if (i === to) break;
      pieces.count = 0;
      const retired = tlb.translateOne(port.cpu, context, batch, i, pieces);
      if (
        retired &&
        cpu !== undefined &&
        this.isHitNow(cpu, kind[i] as number, vaLo[i] as number, size[i] as number)
      ) {
        // The loop retires it: what is left to do here are the reads of its walk.
        pieces.count -= 1;
        if (pieces.count > 0) cache.run(port.cpu, pieces);
        continue;
      }
      cache.run(port.cpu, pieces);
      if (!retired) {
        cpu?.last.slot.fill(-1);
        break;
      }
      i += 1;
    }
    this.count();
    return i;
  }

  /** After a translation: may the loop now find the reference's page? If so the lookup is counted there. */
  private isHitNow(cpu: TlbCpu, kind: number, lo: number, size: number): boolean {
    const { recent } = this;
    const s = cpu.byKind[kind] as number;
    if (recent === undefined) return false;
    recent.settle();
    if (!recent.note(s, kind) || (lo & 4095) + size > 4096) return false;
    cpu.countLookups(s, kind, -1);
    return true;
  }

  private enter(cpu: TlbCpu, { asid, ttbr }: TranslationContext): void {
    cpu.enter(asid, ttbr);
    // Maintenance may have made the entry used last forget that it was.
    cpu.last.slot.fill(-1);
    this.recent?.settle();
    if (asid === this.asid && ttbr === this.ttbr) return;
    this.asid = asid;
    this.ttbr = ttbr;
    this.recent?.forget();
  }

  /** Adds what the generated loop counted, and begins anew. */
  private count(): void {
    const { counts, extra, cpu, port } = this;
    if (cpu !== undefined)
      for (let kind = 0; kind < KINDS; kind++)
        cpu.countLookups(cpu.byKind[kind] as number, kind, counts[kind] as number);
    const modifies = counts[AccessKind.modify] as number;
    const { instruction, data, counters } = port;
    (counters[instruction.at.accesses + CacheKind.fetch] as number) +=
      (counts[AccessKind.fetch] as number) + (extra[CacheKind.fetch] as number);
    (counters[data.at.accesses + CacheKind.read] as number) +=
      (counts[AccessKind.load] as number) + modifies + (extra[CacheKind.read] as number);
    (counters[data.at.accesses + CacheKind.write] as number) +=
      (counts[AccessKind.store] as number) + modifies + (extra[CacheKind.write] as number);
    counts.fill(0);
    extra.fill(0);
  }
}

const hiEnd = (bits: number): number => 2 ** (bits - 32);

function touchEntryOf(cpu: TlbCpu): (kind: number, slot: number) => void {
  const { structures, byKind, last } = cpu;
  return (kind, slot) => {
    const s = byKind[kind] as number;
    structures[s]?.touch(slot);
    last.slot[s] = slot;
  };
}
