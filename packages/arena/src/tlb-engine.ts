import { assert, Digest } from '@tablewalk/base';
import { PIECES_PER_ACCESS_MAX, TrapKind } from '@tablewalk/contracts';
import type {
  AccessBatch,
  ArenaImage,
  CacheEngine,
  DataLoop,
  TlbEngine,
  TlbOrder,
  TranslatedBatch,
  TranslationContext,
  Trap,
  Walker,
} from '@tablewalk/contracts';
import { Arena } from './arena.ts';
import { loopOf } from './loop/fused-loop.ts';
import type { LoopTlb } from './loop/fused-loop.ts';
import { TlbCpu } from './tlb-cpu.ts';
import { countValid, countWatched, invalidateEntries, watchFrame, watchPage } from './tlb-maintenance.ts';
import { NO_ENTRY, TlbLookup } from './tlb-lookup.ts';
import { appendPiece, appendPieces, PagePieces } from './tlb-pieces.ts';
import type { TlbSpec } from './tlb-spec.ts';
import { ASID_MAX } from './tlb-structure.ts';
import type { TlbStructure } from './tlb-structure.ts';

const PAGE = 4096;
const TWO_32 = 2 ** 32;
/** More room for each further page of a long access: loads, stores and a walk of four reads. */
const PIECES_PER_PAGE = 6;
const KINDS = 4;

/** A TLB engine whose state can be copied, for a checkpoint, and put back. */
export interface ExactTlbEngine extends TlbEngine {
  save(): ArenaImage;
  load(image: ArenaImage): void;
}

export const tlbEngine = (spec: TlbSpec, walker: Walker): ExactTlbEngine => new ExactTlb(spec, walker);

/**
 * The exact facet of a TLB plugin (counters as golden/traces `meaning.tlb`): a first level, unified or
 * split, and an optional unified second. A reference makes one lookup for each page, of the mapping's
 * own size, that it touches, the lower page first; a modify is one lookup. A miss fills at once. A
 * descriptor that faults is never held, one that only lacks permission is (spec/tlb-and-shootdown.md, 3).
 *
 * 1. An access leaves its pieces when all of its pages translate, else only the reads of its walks.
 * 2. A watched trap undoes its lookups: counters do not depend on who watches.
 */
class ExactTlb implements ExactTlbEngine, LoopTlb {
  readonly translation: { readonly cpus: readonly TlbCpu[]; readonly walker: Walker };
  private readonly arena = new Arena();
  private readonly cpus: readonly TlbCpu[];
  private readonly pieces = new PagePieces();
  private readonly lookup: TlbLookup;
  /** Hits in the last page, by structure and kind, not yet counted. */
  private readonly hits: Int32Array;

  constructor(
    private readonly spec: TlbSpec,
    walker: Walker,
  ) {
    this.lookup = new TlbLookup(walker);
    this.cpus = Array.from({ length: spec.cpus }, () => new TlbCpu(this.arena, spec));
    this.translation = { cpus: this.cpus, walker };
    this.hits = new Int32Array(this.cpu(0).structures.length * KINDS);
  }

  get trap(): Trap {
    return this.lookup.trap;
  }

  translate(
    cpuNumber: number,
    context: TranslationContext,
    batch: AccessBatch,
    from: number,
    to: number,
    out: TranslatedBatch,
  ): number {
    const cpu = this.cpu(cpuNumber);
    const { asid } = context;
    assert(asid >= 0 && asid <= ASID_MAX, `ASID ${asid} is too large`);
    cpu.enter(asid, context.ttbr);
    this.trap.kind = TrapKind.none;
    const { byKind } = cpu;
    const { page: lastPage, vaHi: lastHi, allowed: lastAllowed, paLo: lastPaLo, paHi: lastPaHi } = cpu.last;
    const { kind: kinds, vaLo, vaHi, size: sizes } = batch;
    const { kind: outKind, vaLo: outVaLo, vaHi: outVaHi, paLo: outPaLo, paHi: outPaHi, size: outSize } = out;
    const room = out.capacity - PIECES_PER_ACCESS_MAX;
    const { hits } = this;
    let i = from;
    let count = out.count;
    for (; i < to && count <= room; i++) {
      const kind = kinds[i] as number;
      const lo = vaLo[i] as number;
      const hi = vaHi[i] as number;
      const size = sizes[i] as number;
      const s = byKind[kind] as number;
      if (
        (lo & (PAGE - 1)) + size > PAGE ||
        ((lo >>> 12 !== lastPage[s] ||
          hi !== lastHi[s] ||
          (((lastAllowed[s] as number) >>> kind) & 1) === 0) &&
          !cpu.turnTo(s, kind, lo, hi, asid))
      ) {
        out.count = count;
        if (!this.access(cpu, context, kind, lo, hi, size, out)) break;
        count = out.count;
        continue;
      }
      (hits[s * KINDS + kind] as number) += 1;
      outKind[count] = kind;
      outVaLo[count] = lo;
      outVaHi[count] = hi;
      outPaLo[count] = (lastPaLo[s] as number) | (lo & (PAGE - 1));
      outPaHi[count] = lastPaHi[s] as number;
      outSize[count] = size;
      count += 1;
    }
    out.count = Math.max(out.count, count);
    for (let kind = 0; kind < KINDS; kind++) {
      const s = byKind[kind] as number;
      cpu.countLookups(s, kind, hits[s * KINDS + kind] as number);
    }
    hits.fill(0);
    return i;
  }

  translateOne(
    cpuNumber: number,
    context: TranslationContext,
    { kind, vaLo, vaHi, size }: AccessBatch,
    i: number,
    out: TranslatedBatch,
  ): boolean {
    const cpu = this.cpu(cpuNumber);
    this.trap.kind = TrapKind.none;
    const lo = vaLo[i] as number;
    return this.access(cpu, context, kind[i] as number, lo, vaHi[i] as number, size[i] as number, out);
  }

  fuse(cache: CacheEngine): DataLoop | undefined {
    return loopOf(this, cache);
  }

  invalidate(cpuNumber: number, order: TlbOrder): number {
    const cpu = this.cpu(cpuNumber);
    let count = 0;
    cpu.structures.forEach((structure, s) => {
      const whole = this.spec.microFlush === true && s !== cpu.second;
      count += cpu.flushed(s, invalidateEntries(structure, whole ? undefined : order));
    });
    cpu.note(count);
    return count;
  }

  watch(cpu: number, asid: number, vpn: number): number {
    return this.watchIn(cpu, (structure) => watchPage(structure, asid, vpn));
  }

  watchFrame(cpu: number, pfn: number): number {
    return this.watchIn(cpu, (structure) => watchFrame(structure, pfn));
  }

  validEntries(cpuNumber: number): Readonly<Record<string, number>> {
    const { names, structures } = this.cpu(cpuNumber);
    return Object.fromEntries(structures.map((structure, s) => [names[s] as string, countValid(structure)]));
  }

  counters(cpu: number): Float64Array {
    return this.cpu(cpu).counters;
  }

  get counterNames(): readonly string[] {
    return this.cpu(0).counterNames;
  }

  outcomeWord(cpu: number): number {
    return this.cpu(cpu).outcomeWord();
  }

  digest(): string {
    const digest = new Digest();
    this.arena.digestInto(digest);
    return digest.hex();
  }

  save(): ArenaImage {
    return this.arena.save();
  }

  load(image: ArenaImage): void {
    this.arena.load(image);
    for (const cpu of this.cpus) {
      cpu.watched = cpu.structures.reduce((sum, structure) => sum + countWatched(structure), 0);
      for (const structure of cpu.structures) structure.reindex();
    }
  }

  private cpu(number: number): TlbCpu {
    return this.cpus[number] as TlbCpu;
  }

  private watchIn(cpuNumber: number, watch: (structure: TlbStructure) => number): number {
    const cpu = this.cpu(cpuNumber);
    const count = cpu.structures.reduce((sum, structure) => sum + watch(structure), 0);
    cpu.watched += count;
    return count;
  }

  /** An access that is no hit within one page of 4 KiB: false when it trapped or has no room in `out`. */
  private access(
    cpu: TlbCpu,
    context: TranslationContext,
    kind: number,
    lo: number,
    hi: number,
    size: number,
    out: TranslatedBatch,
  ): boolean {
    const s = cpu.byKind[kind] as number;
    const structure = cpu.structures[s] as TlbStructure;
    if ((lo & (PAGE - 1)) + size <= PAGE) return this.within(cpu, context, kind, lo, hi, size, out);
    const { pieces } = this;
    const further = Math.max(0, Math.ceil(size / PAGE) - 1) * PIECES_PER_PAGE;
    const room = out.capacity - PIECES_PER_ACCESS_MAX - further;
    assert(room >= 0, `an access of ${size} bytes does not fit in ${out.capacity} pieces`);
    if (out.count > room) return false;
    pieces.count = 0;
    const start = hi * TWO_32 + lo;
    for (let va = start; va < start + size;) {
      const slot = this.lookup.resolve(cpu, context, s, kind, va % TWO_32, Math.floor(va / TWO_32), out);
      if (slot === NO_ENTRY) {
        if (this.trap.kind === TrapKind.watched) cpu.countLookups(s, kind, -pieces.count);
        return false;
      }
      if (!this.lookup.permits(structure, slot, kind, va)) return false;
      va = pieces.add(structure, slot, va, start + size);
      pieces.remember(cpu.last, s, structure, slot);
    }
    appendPieces(out, pieces, kind);
    return true;
  }

  /** `access` within one page of 4 KiB. */
  private within(
    cpu: TlbCpu,
    context: TranslationContext,
    kind: number,
    lo: number,
    hi: number,
    size: number,
    out: TranslatedBatch,
  ): boolean {
    if (out.count > out.capacity - PIECES_PER_ACCESS_MAX) return false;
    const s = cpu.byKind[kind] as number;
    const slot = this.lookup.resolve(cpu, context, s, kind, lo, hi, out);
    if (slot === NO_ENTRY) return false;
    if (!this.lookup.permits(cpu.structures[s] as TlbStructure, slot, kind, hi * TWO_32 + lo)) return false;
    cpu.noteLast(s, slot, lo, hi);
    const paLo = (cpu.last.paLo[s] as number) | (lo & (PAGE - 1));
    appendPiece(out, kind, lo, hi, paLo, cpu.last.paHi[s] as number, size);
    return true;
  }
}
