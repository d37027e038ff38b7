import { Digest } from '@tablewalk/base';
import { AccessKind, FaultKind, PageFlag, PieceFlag, TrapKind, walkResult } from '@tablewalk/contracts';
import type { AccessBatch, TlbEngine, TlbOrder, TranslatedBatch, TranslationContext, Trap, Walker } from '@tablewalk/contracts';
import { CpuTlbs } from './cpu-tlbs.ts';
import type { TlbSpec } from './cpu-tlbs.ts';
import { GLOBAL } from './tlb-array.ts';
import type { TlbArray } from './tlb-array.ts';

/** What an access of each kind needs of a translation, for PL0. */
const NEEDS = [
  PageFlag.user | PageFlag.execute,
  PageFlag.user,
  PageFlag.user | PageFlag.write,
  PageFlag.user | PageFlag.write,
];
/** Room in `out` for one access that stays in two pages; longer ones ask for more. */
const PIECES_RESERVED = 12;
const PIECES_PER_PAGE = 6;

/**
 * The exact TLBs: micro and main, split or unified, any geometry. One loop turns references into
 * translated pieces; a reference makes one lookup for each page (of the mapping's own size) that it touches.
 * An access that faults and is retried is looked up again, as the hardware re-executes the instruction.
 */
export function setAssociativeTlb(spec: TlbSpec, walker: Walker): TlbEngine {
  const cpus = Array.from({ length: spec.cpus }, (_, cpu) => new CpuTlbs(spec, cpu));
  const of = (cpu: number): CpuTlbs => cpus[cpu] as CpuTlbs;
  const trap: Trap = { kind: 0, fault: 0, status: 0, level: 0, vaLo: 0, vaHi: 0, pfn: 0, write: false, fetch: false };
  const found = walkResult();
  /** Pieces of the access at hand: virtual start, physical start (pfn and offset), bytes. */
  const pieceVa = new Float64Array(32);
  const piecePa = new Float64Array(32);
  const pieceBytes = new Int32Array(32);

  function faults(fault: FaultKind, status: number, level: number, vpn: number, kind: number): number {
    return stops(TrapKind.fault, vpn, kind, fault, status, level, 0);
  }

  function stops(why: TrapKind, vpn: number, kind: number, fault: FaultKind, status: number, level: number, pfn: number): number {
    trap.kind = why;
    trap.fault = fault;
    trap.status = status;
    trap.level = level;
    trap.vaLo = (vpn << 12) >>> 0;
    trap.vaHi = vpn >>> 20;
    trap.pfn = pfn;
    trap.write = kind >= AccessKind.store;
    trap.fetch = kind === AccessKind.fetch;
    return -1;
  }

  /** Everything but a hit of the newest entry: the entry in the first level, or -1 and a trap. */
  function resolve(tlbs: CpuTlbs, first: TlbArray, vpn: number, kind: number, context: TranslationContext, out: TranslatedBatch): number {
    const { asid, ttbr } = context;
    if (tlbs.watching()) {
      const pfn = tlbs.unwatchUsed(first, vpn, asid);
      if (pfn >= 0) return stops(TrapKind.watched, vpn, kind, FaultKind.none, 0, 0, pfn);
    }
    tlbs.countLookup(first, kind);
    const hit = first.lookup(vpn, asid);
    if (hit >= 0) return hit;
    tlbs.countMiss(first, kind, vpn);
    const { second } = tlbs;
    if (second !== undefined) {
      tlbs.countLookup(second, kind);
      const entry = second.lookup(vpn, asid);
      if (entry >= 0) return first.copy(vpn, second, entry);
      tlbs.countMiss(second, kind, vpn);
    }
    walker.walk(ttbr, (vpn << 12) >>> 0, vpn >>> 20, found);
    tlbs.countWalk(found.reads);
    for (let i = 0; i < found.reads; i++) push(out, AccessKind.walk, found.readPa[i] as number, found.readPa[i] as number, found.readBytes);
    // A descriptor that faults is never held (ARM ARM DDI 0406C B3.9).
    if (found.fault !== FaultKind.none) return faults(found.fault, found.status, found.level, vpn, kind);
    second?.fill(vpn, asid, found);
    return first.fill(vpn, asid, found);
  }

  /** References across a page boundary, and modifies that are cut: false when a page trapped. */
  function crossing(tlbs: CpuTlbs, first: TlbArray, va: number, size: number, kind: number, context: TranslationContext, out: TranslatedBatch): boolean {
    let pieces = 0;
    for (let at = va; at < va + size; pieces++) {
      const vpn = Math.floor(at / 4096);
      const entry = resolve(tlbs, first, vpn, kind, context, out);
      if (entry < 0) return false;
      if (!permitted(first, entry, vpn, kind)) return false;
      const bytes = 2 ** (first.pageShift[entry] as number);
      const offset = at % bytes;
      pieceVa[pieces] = at;
      piecePa[pieces] = (first.pfn[entry] as number) * 4096 + offset;
      pieceBytes[pieces] = Math.min(va + size - at, bytes - offset);
      at += pieceBytes[pieces] as number;
    }
    const modifies = kind === AccessKind.modify && pieces > 1;
    for (let pass = 0; pass < (modifies ? 2 : 1); pass++)
      for (let i = 0; i < pieces; i++) {
        const flags = (i > 0 ? PieceFlag.continues : 0) | (pass > 0 ? PieceFlag.modified : 0);
        const as = (modifies ? AccessKind.load + pass : kind) | flags;
        push(out, as, pieceVa[i] as number, piecePa[i] as number, pieceBytes[i] as number);
      }
    return true;
  }

  function permitted(first: TlbArray, entry: number, vpn: number, kind: number): boolean {
    const needs = NEEDS[kind] as number;
    if (((first.flags[entry] as number) & needs) === needs) return true;
    const level = (first.pageShift[entry] as number) >= 20 ? 1 : 2;
    faults(FaultKind.permission, walker.permissionStatus(level), level, vpn, kind);
    return false;
  }

  return {
    trap,
    counterNames: of(0).counterNames,
    counters: (cpu) => of(cpu).takeInCounts(),
    outcomeWord: (cpu) => of(cpu).outcome,
    validEntries: (cpu) => of(cpu).validEntries(),
    digest() {
      const digest = new Digest();
      for (const tlbs of cpus) tlbs.digestInto(digest);
      return digest.hex();
    },
    invalidate: (cpu, order: TlbOrder) => of(cpu).invalidate(order),
    watch: (cpu, asid, vpn) => of(cpu).watch((array, entry) => array.covers(entry, vpn, asid)),
    watchFrame: (cpu, pfn) => of(cpu).watch((array, entry) => array.leadsInto(entry, pfn)),

    translate(cpu, context, batch: AccessBatch, from, to, out) {
      const tlbs = of(cpu);
      tlbs.enter(context);
      const { asid } = context;
      const { kind: kinds, vaLo, vaHi, size: sizes } = batch;
      const { counts, unified, instruction, data } = tlbs;
      const room = out.capacity - PIECES_RESERVED;
      for (let i = from; i < to; i++) {
        if (out.count > room) return i;
        const kind = kinds[i] as number;
        const lo = vaLo[i] as number;
        const hi = vaHi[i] as number;
        const size = sizes[i] as number;
        const first = unified ?? (kind === 0 ? instruction : data);
        if ((lo & 4095) + size > 4096) {
          if (out.count + PIECES_RESERVED + (size >>> 12) * PIECES_PER_PAGE > out.capacity) return i;
          if (!crossing(tlbs, first, hi * 2 ** 32 + lo, size, kind, context, out)) return i;
          continue;
        }
        const vpn = (hi << 20) | (lo >>> 12);
        let entry = first.newest[first.newestSet(vpn)] as number;
        const holder = first.context[entry] as number;
        if ((vpn & (first.mask[entry] as number)) === first.tag[entry] && (holder === asid || holder === GLOBAL))
          counts[first.lookupCounter + kind] = (counts[first.lookupCounter + kind] as number) + 1;
        else {
          entry = resolve(tlbs, first, vpn, kind, context, out);
          if (entry < 0) return i;
        }
        const needs = NEEDS[kind] as number;
        if (((first.flags[entry] as number) & needs) !== needs) {
          permitted(first, entry, vpn, kind);
          return i;
        }
        const j = out.count++;
        const pfn = first.pfn[entry] as number;
        out.kind[j] = kind;
        out.vaLo[j] = lo;
        out.vaHi[j] = hi;
        out.paLo[j] = (pfn << 12) | (lo & ((1 << (first.pageShift[entry] as number)) - 1));
        out.paHi[j] = pfn >>> 20;
        out.size[j] = size;
      }
      return to;
    },
  };
}

function push(out: TranslatedBatch, kind: number, va: number, pa: number, bytes: number): void {
  const j = out.count++;
  out.kind[j] = kind;
  out.vaLo[j] = va >>> 0;
  out.vaHi[j] = Math.floor(va / 2 ** 32);
  out.paLo[j] = pa >>> 0;
  out.paHi[j] = Math.floor(pa / 2 ** 32);
  out.size[j] = bytes;
}
