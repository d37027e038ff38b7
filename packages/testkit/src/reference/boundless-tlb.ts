import { vpn as checkedVpn } from '@tablewalk/base';
import {
  AccessKind,
  FaultKind,
  PageFlag,
  PieceFlag,
  TrapKind,
  vaOfAccess,
  walkResult,
  newTrap,
} from '@tablewalk/contracts';
import type { AccessBatch, TlbEngine, TlbOrder, TranslatedBatch } from '@tablewalk/contracts';
import type { TranslationContext, Walker } from '@tablewalk/contracts';

/**
 * A TLB without bounds: a dictionary for each CPU that keeps every translation until it is told to
 * forget it. No TLB may keep more, so what is safe on this one is safe on all, and a missing
 * invalidation is seen at the first access and not when luck has it. Entries are of 4 KiB, whatever
 * the table entry covers.
 */
interface Entry {
  readonly asid: number;
  readonly vpn: number;
  readonly pfn: number;
  readonly flags: number;
  watched: boolean;
}

export class BoundlessTlb implements TlbEngine {
  readonly trap = newTrap();
  readonly counterNames = ['tlb.hits', 'tlb.walks', 'tlb.walkReads'];
  private readonly entries: Map<string, Entry>[];
  private readonly counts: Float64Array[];
  private readonly found = walkResult();

  constructor(
    private readonly walker: Walker,
    cpus: number,
  ) {
    this.entries = Array.from({ length: cpus }, () => new Map<string, Entry>());
    this.counts = Array.from({ length: cpus }, () => new Float64Array(3));
  }

  translate(
    cpu: number,
    context: TranslationContext,
    batch: AccessBatch,
    from: number,
    to: number,
    out: TranslatedBatch,
  ): number {
    this.trap.kind = TrapKind.none;
    for (let i = from; i < to; i++) {
      if (out.count + 12 > out.capacity) return i;
      const before = out.count;
      if (this.access(cpu, context, batch, i, out)) continue;
      keepWalks(out, before);
      return i;
    }
    return to;
  }

  /** One reference: false when it trapped. */
  private access(
    cpu: number,
    context: TranslationContext,
    batch: AccessBatch,
    i: number,
    out: TranslatedBatch,
  ): boolean {
    const kind = batch.kind[i] as number;
    const first = vaOfAccess(batch, i);
    const end = first + (batch.size[i] as number);
    const passes = kind === AccessKind.modify ? [AccessKind.load, AccessKind.store] : [kind];
    for (const pass of passes)
      for (let va = first; va < end;) {
        const next = Math.min(end, (Math.floor(va / 4096) + 1) * 4096);
        const pfn = this.pfnFor(cpu, context, va, pass, kind, out);
        if (pfn === undefined) return false;
        const flags =
          (va > first ? PieceFlag.continues : 0) |
          (kind !== pass && pass === AccessKind.store ? PieceFlag.modified : 0);
        push(out, pass | flags, va, pfn * 4096 + (va % 4096), next - va);
        va = next;
      }
    return true;
  }

  /** The frame for an access, or undefined after a trap. */
  private pfnFor(
    cpu: number,
    { asid, ttbr }: TranslationContext,
    va: number,
    pass: number,
    kind: number,
    out: TranslatedBatch,
  ): number | undefined {
    const entries = this.entries[cpu] as Map<string, Entry>;
    const counts = this.counts[cpu] as Float64Array;
    const vpn = checkedVpn(Math.floor(va / 4096));
    const write = pass === AccessKind.store || kind === AccessKind.modify;
    let entry = entries.get(key(asid, vpn)) ?? entries.get(key(-1, vpn));
    if (entry === undefined) {
      const { found } = this;
      this.walker.walk(ttbr, va % 2 ** 32, Math.floor(va / 2 ** 32), found);
      counts[1] = (counts[1] as number) + 1;
      counts[2] = (counts[2] as number) + found.reads;
      for (let read = 0; read < found.reads; read++) {
        const pa = found.readPa[read] as number;
        push(out, AccessKind.walk, pa, pa, found.readBytes);
      }
      if (found.fault !== FaultKind.none)
        return this.fault(found.fault, found.status, found.level, va, write, pass);
      const owner = (found.flags & PageFlag.global) === 0 ? asid : -1;
      const pfn = found.pfn + (vpn % 2 ** (found.pageShift - 12));
      entry = { asid: owner, vpn, pfn, flags: found.flags, watched: false };
      entries.set(key(owner, vpn), entry);
    } else counts[0] = (counts[0] as number) + 1;
    const needed =
      PageFlag.user | (write ? PageFlag.write : 0) | (pass === AccessKind.fetch ? PageFlag.execute : 0);
    if ((entry.flags & needed) !== needed)
      return this.fault(FaultKind.permission, this.walker.permissionStatus(2), 2, va, write, pass);
    if (!entry.watched) return entry.pfn;
    entry.watched = false;
    Object.assign(
      this.trap,
      { kind: TrapKind.watched, pfn: entry.pfn, write, fetch: pass === AccessKind.fetch },
      halves(va),
    );
    return undefined;
  }

  private fault(
    fault: FaultKind,
    status: number,
    level: number,
    va: number,
    write: boolean,
    pass: number,
  ): undefined {
    const fetch = pass === AccessKind.fetch;
    Object.assign(this.trap, { kind: TrapKind.fault, fault, status, level, write, fetch }, halves(va));
  }

  invalidate(cpu: number, order: TlbOrder): number {
    const entries = this.entries[cpu] as Map<string, Entry>;
    let gone = 0;
    for (const [at, entry] of entries)
      if (matches(entry, order)) {
        entries.delete(at);
        gone += 1;
      }
    return gone;
  }

  watch(cpu: number, asid: number, vpn: number): number {
    return this.watchWhere(cpu, (entry) => entry.vpn === vpn && (entry.asid === asid || entry.asid === -1));
  }
  watchFrame(cpu: number, pfn: number): number {
    return this.watchWhere(cpu, (entry) => entry.pfn === pfn);
  }
  private watchWhere(cpu: number, wanted: (entry: Entry) => boolean): number {
    let watched = 0;
    for (const entry of (this.entries[cpu] as Map<string, Entry>).values())
      if (wanted(entry)) {
        entry.watched = true;
        watched += 1;
      }
    return watched;
  }

  validEntries(cpu: number): Readonly<Record<string, number>> {
    return { tlb: (this.entries[cpu] as Map<string, Entry>).size };
  }
  counters(cpu: number): Float64Array {
    return this.counts[cpu] as Float64Array;
  }
  outcomeWord(cpu: number): number {
    return (this.counts[cpu] as Float64Array).reduce((word, count) => Math.imul(word, 31) + count, 0) | 0;
  }
  digest(): string {
    return JSON.stringify(this.entries.map((entries) => [...entries.values()]));
  }
}

const key = (asid: number, vpn: number): string => `${asid}:${vpn}`;
const halves = (va: number): { vaLo: number; vaHi: number } => ({
  vaLo: va % 2 ** 32,
  vaHi: Math.floor(va / 2 ** 32),
});

/** ARM ARM DDI 0406C B3.10.5: by ASID spares global entries, by MVA takes them along. */
function matches(entry: Entry, { scope, asid, startVpn, endVpn }: TlbOrder): boolean {
  const inRange = entry.vpn >= startVpn && entry.vpn < endVpn;
  if (scope === 'all') return true;
  if (scope === 'asid') return entry.asid === asid;
  return inRange && (scope === 'va-all-asids' || entry.asid === asid || entry.asid === -1);
}

function push(out: TranslatedBatch, kind: number, va: number, pa: number, size: number): void {
  const i = out.count++;
  out.kind[i] = kind;
  out.vaLo[i] = va % 2 ** 32;
  out.vaHi[i] = Math.floor(va / 2 ** 32);
  out.paLo[i] = pa % 2 ** 32;
  out.paHi[i] = Math.floor(pa / 2 ** 32);
  out.size[i] = size;
}

/** Of an access that trapped only the walker's reads remain. */
function keepWalks(out: TranslatedBatch, from: number): void {
  let kept = from;
  for (let i = from; i < out.count; i++)
    if (out.kind[i] === AccessKind.walk) {
      for (const column of [out.kind, out.vaLo, out.vaHi, out.paLo, out.paHi, out.size])
        column[kept] = column[i] as number;
      kept += 1;
    }
  out.count = kept;
}
