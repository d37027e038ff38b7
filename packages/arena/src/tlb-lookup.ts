import { AccessKind, FaultKind, newTrap, TrapKind, walkResult } from '@tablewalk/contracts';
import type { TranslatedBatch, TranslationContext, Walker } from '@tablewalk/contracts';
import type { TlbCpu } from './tlb-cpu.ts';
import { appendWalk } from './tlb-pieces.ts';
import { holderWord } from './tlb-structure.ts';
import type { TlbStructure } from './tlb-structure.ts';

const TWO_32 = 2 ** 32;
export const NO_ENTRY = -1;

/** One lookup: first level, second level, walk; and the traps that may end it. */
export class TlbLookup {
  readonly trap = newTrap();
  private readonly found = walkResult();

  constructor(private readonly walker: Walker) {}

  /** The entry of first-level structure `s` for an address; NO_ENTRY and a trap when there is none. */
  resolve(
    cpu: TlbCpu,
    { asid, ttbr }: TranslationContext,
    s: number,
    kind: number,
    lo: number,
    vaHi: number,
    out: TranslatedBatch,
  ): number {
    const first = cpu.structures[s] as TlbStructure;
    const second = cpu.structures[cpu.second];
    const vpn = (vaHi << 20) | (lo >>> 12);
    const holder = holderWord(asid, vaHi);
    const slot = first.find(vpn, holder);
    const main = slot < 0 && second !== undefined ? second.find(vpn, holder) : NO_ENTRY;
    // A watched entry is told of before anything is counted: the access will be tried again.
    if (cpu.watched > 0 && slot < 0) {
      const va = vaHi * TWO_32 + (lo >>> 0);
      if (this.usesWatched(cpu, first, vpn, holder, kind, va)) return NO_ENTRY;
      if (second !== undefined && main < 0 && this.usesWatched(cpu, second, vpn, holder, kind, va))
        return NO_ENTRY;
    }
    cpu.countLookups(s, kind, 1);
    if (slot >= 0) {
      first.touch(slot);
      return slot;
    }
    cpu.countMiss(s, kind, vpn);
    if (second !== undefined) {
      cpu.countLookups(cpu.second, kind, 1);
      if (main >= 0) {
        second.touch(main);
        const copied = first.copy(vpn, holder, second, main);
        cpu.countFill(s);
        return copied;
      }
      cpu.countMiss(cpu.second, kind, vpn);
    }
    this.walker.walk(ttbr, lo >>> 0, vaHi, this.found);
    cpu.countWalk(this.found);
    appendWalk(out, this.found);
    if (this.found.fault !== FaultKind.none) {
      this.faults(this.found.fault, this.found.status, this.found.level, kind, vaHi * TWO_32 + (lo >>> 0));
      return NO_ENTRY;
    }
    if (second !== undefined) {
      second.fill(vpn, holder, this.found);
      cpu.countFill(cpu.second);
    }
    const filled = first.fill(vpn, holder, this.found);
    cpu.countFill(s);
    return filled;
  }

  /** Does the entry allow such an access at PL0? If not, traps. */
  permits(structure: TlbStructure, slot: number, kind: number, va: number): boolean {
    if ((((structure.allowed[slot] as number) >>> kind) & 1) !== 0) return true;
    const level = structure.level[slot] as number;
    this.faults(FaultKind.permission, this.walker.permissionStatus(level), level, kind, va);
    return false;
  }

  private faults(fault: FaultKind, status: number, level: number, kind: number, va: number): void {
    this.stops(TrapKind.fault, kind, va);
    this.trap.fault = fault;
    this.trap.status = status;
    this.trap.level = level;
  }

  private usesWatched(
    cpu: TlbCpu,
    structure: TlbStructure,
    vpn: number,
    holder: number,
    kind: number,
    va: number,
  ): boolean {
    const slot = structure.findWatched(vpn, holder);
    if (slot < 0) return false;
    structure.unwatch(slot);
    cpu.watched -= 1;
    this.stops(TrapKind.watched, kind, va);
    this.trap.pfn = structure.frameOf(slot, va);
    return true;
  }

  private stops(why: TrapKind, kind: number, va: number): void {
    const { trap } = this;
    trap.kind = why;
    trap.fault = FaultKind.none;
    trap.status = 0;
    trap.level = 0;
    trap.vaLo = (va % TWO_32) >>> 0;
    trap.vaHi = Math.floor(va / TWO_32);
    trap.pfn = 0;
    trap.write = kind === AccessKind.store || kind === AccessKind.modify;
    trap.fetch = kind === AccessKind.fetch;
  }
}
