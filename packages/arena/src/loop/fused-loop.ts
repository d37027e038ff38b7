import {
  accessBatch,
  AccessKind,
  copyAccesses,
  PIECES_PER_ACCESS_MAX,
  translatedBatch,
  TrapKind,
  walkResult,
} from '@tablewalk/contracts';
import type {
  AccessBatch,
  CacheEngine,
  DataLoop,
  TlbEngine,
  TranslatedBatch,
  TranslationContext,
  Walker,
} from '@tablewalk/contracts';
import { CacheKind } from '../cache-counters.ts';
import type { CachePort } from '../cache-lines.ts';
import { structureCounters, walkCounters } from '../tlb-cpu.ts';
import type { TlbCpu } from '../tlb-cpu.ts';
import { allowedKinds } from '../tlb-structure.ts';
import { cacheParts, cacheShape } from './cache-parts.ts';
import { loopSource } from './loop-source.ts';
import type { LoopShape } from './loop-source.ts';
import { RecentPages } from './recent-pages.ts';
import { WALKED_WORDS } from './resolve-source.ts';
import type { TranslationShape } from './resolve-source.ts';
import { tlbShape } from './tlb-source.ts';

/** Loops made so far. A text of its own for each: V8 keeps what it learns of a function by its text. */
let loops = 0;

/** A long access may span 17 pages, each with its walk. */
const ROOM = PIECES_PER_ACCESS_MAX * 17;
const KINDS = 4;
/** So many references that their columns fit into the host's first-level cache beside the rest. */
const STRETCH = 4096;

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
  /** What it translates with; undefined where nothing is translated. */
  readonly translation: { readonly cpus: readonly TlbCpu[]; readonly walker: Walker } | undefined;
  /** `translate` for access `i` alone, in the context entered last: false when it trapped. */
  translateOne(
    cpu: number,
    context: TranslationContext,
    batch: AccessBatch,
    i: number,
    out: TranslatedBatch,
  ): boolean;
}

const isLoopCaches = (cache: CacheEngine): cache is LoopCaches =>
  (cache as Partial<LoopCaches>).ports !== undefined;

/** The loop of both; undefined where these caches have none, or code must not be made from text (a strict page). */
export const loopOf = (tlb: LoopTlb, cache: CacheEngine): DataLoop | undefined =>
  isLoopCaches(cache) && textMayRun() ? new FusedLoop(tlb, cache) : undefined;

function textMayRun(): boolean {
  try {
    return new Function('return true')() === true;
  } catch {
    return false;
  }
}

/**
 * Both stages of the data plane in one loop, made for one machine: generated code (loop-source.ts) retires references,
 * and the two engines, one at a time, those that trap or are otherwise rare. What it leaves in arenas, counters,
 * pieces and traps is what `translate` and `run` would have left: a test holds them together.
 */
class FusedLoop implements DataLoop {
  private readonly cpus: readonly CpuLoop[];

  constructor(tlb: LoopTlb, cache: LoopCaches) {
    this.cpus = (cache.ports ?? []).map((port) => new CpuLoop(tlb, cache, port));
  }

  run(cpu: number, context: TranslationContext, batch: AccessBatch, from: number, to: number): number {
    return (this.cpus[cpu] as CpuLoop).run(context, batch, from, to);
  }
}

/** What the text makes (loop-source.ts). */
interface Loop {
  retire(i: number, to: number): number;
  enter(asid: number, ttbr: number): void;
}

class CpuLoop {
  private readonly loop: Loop;
  private readonly cpu: TlbCpu | undefined;
  private readonly counts = new Float64Array(KINDS);
  /** Accesses of crossing references beyond one each, by kind of access to a cache. */
  private readonly extra = new Float64Array(KINDS);
  /**
   * References as the text reads them: through arrays that stay the same, so that V8 compiles their addresses and
   * lengths into it. That saves more than the copy costs (docs/adr/0011).
   */
  private readonly stretch = accessBatch(STRETCH);
  private readonly pieces = translatedBatch(ROOM);
  private readonly recent: RecentPages | undefined;
  private asid = -1;
  private ttbr = -1;

  constructor(
    private readonly tlb: LoopTlb,
    private readonly cache: LoopCaches,
    private readonly port: CachePort,
  ) {
    const { instruction, data } = port;
    const cpu = tlb.translation?.cpus[port.cpu];
    this.cpu = cpu;
    const virtual = instruction.isVirtuallyTagged || data.isVirtuallyTagged;
    const vaEnd = virtual ? Math.min(4096, hiEnd(cache.vaBits)) : 4096;
    const paEnd = hiEnd(cache.paBits);
    const lineShifts = [instruction.lineShift, data.lineShift, data.lineShift, data.lineShift];
    this.recent = cpu && new RecentPages(cpu, lineShifts, { va: vaEnd, pa: paEnd });
    const shape: LoopShape = {
      translation: cpu && { ...translationShape(cpu, port), vaEnd, paEnd, lineShifts },
      caches: instruction === data ? [cacheShape(data)] : [cacheShape(instruction), cacheShape(data)],
      outer: data.below && cacheShape(data.below),
      hiMax: Math.min(vaEnd, paEnd) - 1,
    };
    const { recent, counts, extra, stretch } = this;
    const parts = {
      ...{ counts, extra, stretch },
      ...portParts(port),
      ...(cpu && recent && tlbParts(cpu, recent)),
      walker: tlb.translation?.walker,
    };
    // A loop that V8 compiles for this CPU's arrays and numbers alone (docs/adr/0011).
    this.loop = (
      new Function('parts', `${loopSource(shape)}\n// ${(loops += 1)}`) as (known: typeof parts) => Loop
    )(parts);
  }

  run(context: TranslationContext, batch: AccessBatch, from: number, to: number): number {
    const { tlb, cpu, loop } = this;
    tlb.trap.kind = TrapKind.none;
    if (cpu !== undefined) this.enter(cpu, context);
    let first = from;
    let end = first;
    let i = first;
    while (i < to) {
      if (i === end) {
        first = i;
        end = Math.min(to, first + STRETCH);
        copyAccesses(batch, first, end, this.stretch);
      }
      i = first + loop.retire(i - first, end - first);
      if (i === end) continue;
      if (!this.runByEngines(context, batch, i)) break;
      i += 1;
    }
    this.count();
    return i;
  }

  /** One reference, as the two engines do it in turns; false when it trapped. */
  private runByEngines(context: TranslationContext, batch: AccessBatch, i: number): boolean {
    const { tlb, cache, cpu, pieces, port, recent } = this;
    pieces.count = 0;
    const retired = tlb.translateOne(port.cpu, context, batch, i, pieces);
    cache.run(port.cpu, pieces);
    if (retired) {
      const kind = batch.kind[i] as number;
      recent?.settle();
      recent?.note(cpu?.byKind[kind] as number, kind);
    } else cpu?.last.slot.fill(-1);
    return retired;
  }

  private enter(cpu: TlbCpu, { asid, ttbr }: TranslationContext): void {
    cpu.enter(asid, ttbr);
    // Maintenance may have made the entry used last forget that it was.
    cpu.last.slot.fill(-1);
    this.recent?.settle();
    this.loop.enter(asid, ttbr);
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

function translationShape(
  cpu: TlbCpu,
  port: CachePort,
): Pick<TranslationShape, 'first' | 'second' | 'walks'> {
  const { structures, second, byKind } = cpu;
  const shapes = structures.map((structure, n) => {
    const kinds = [...byKind.keys()].filter((kind) => byKind[kind] === n);
    return tlbShape(structure, n, n === second ? [] : kinds);
  });
  const { walks, data } = port;
  return {
    first: shapes.filter(({ n }) => n !== second),
    second: shapes[second],
    walks: walks && { side: walks === data ? 'D' : 'O', cache: cacheShape(walks) },
  };
}

function portParts(port: CachePort) {
  const { instruction, data, counters, cpu, memoryWalkReads } = port;
  const { outcomes, memoryReads, memoryWrites } = data.ledger;
  return {
    ...{ counters, outcomes, memoryReads, memoryWrites, memoryWalkReads },
    cpuNumber: cpu,
    cacheI: cacheParts(port, instruction),
    cacheD: cacheParts(port, data),
    cacheO: data.below && cacheParts(port, data.below),
  };
}

function tlbParts(cpu: TlbCpu, recent: RecentPages) {
  return {
    cpu,
    recentPage: recent.page,
    recentBase: recent.base,
    recentSlot: recent.slot,
    lastSlot: cpu.last.slot,
    tlbs: cpu.structures.map((structure, s) => ({ structure, at: structureCounters(s) })),
    tlbCounters: cpu.counters,
    walks: walkCounters(cpu.structures.length),
    tlbOutcome: cpu.outcome,
    found: walkResult(),
    walked: new Int32Array(WALKED_WORDS),
    /** By `PageFlag`s. */
    allowedOf: Uint8Array.from({ length: 16 }, (_, flags) => allowedKinds(flags)),
  };
}
