import {
  accessBatch,
  AccessKind,
  FaultKind,
  PageFlag,
  PIECE_KIND_MASK,
  pushAccess,
  translatedBatch,
  TrapKind,
} from '@tablewalk/contracts';
import type { TlbEngine, TlbOrder, TlbPlugin, TlbScope, Walker } from '@tablewalk/contracts';
import fc from 'fast-check';
import { expect } from 'vitest';
import { ArchitecturalTlb } from './architectural-tlb.ts';

export interface Access {
  readonly kind: 'access';
  readonly cpu: number;
  readonly asid: number;
  readonly access: AccessKind;
  readonly va: number;
  readonly size: number;
}
export interface Order {
  readonly kind: 'order';
  readonly cpu: number;
  readonly order: TlbOrder;
}
/** A page's table entry changes; no TLB is told. */
export interface Remap {
  readonly kind: 'remap';
  readonly asid: number;
  readonly vpn: number;
  readonly pfn: number;
  readonly gone: boolean;
}

/** The one page that is global: its entries match under every ASID. */
export const GLOBAL_VPN = 15;
const VPNS = { min: 8, max: GLOBAL_VPN };
const ASIDS = [1, 2];

export const accesses = (cpus: number): fc.Arbitrary<Access> =>
  fc.record({
    kind: fc.constant('access' as const),
    cpu: fc.nat(cpus - 1),
    asid: fc.constantFrom(...ASIDS),
    access: fc.constantFrom(AccessKind.fetch, AccessKind.load, AccessKind.store, AccessKind.modify),
    // Some references cross into the next page, but none leaves the pages that there are.
    va: fc.oneof(
      fc.integer({ min: VPNS.min * 4096, max: (VPNS.max + 1) * 4096 - 16 }),
      fc.integer({ min: VPNS.min, max: VPNS.max - 1 }).map((vpn) => (vpn + 1) * 4096 - 3),
    ),
    size: fc.integer({ min: 1, max: 16 }),
  });

export const orders = (cpus: number): fc.Arbitrary<Order> =>
  fc.record({
    kind: fc.constant('order' as const),
    cpu: fc.nat(cpus - 1),
    order: fc
      .record({
        scope: fc.constantFrom<TlbScope>('all', 'asid', 'va', 'va', 'va-all-asids'),
        asid: fc.constantFrom(...ASIDS),
        startVpn: fc.integer(VPNS),
        pages: fc.integer({ min: 1, max: 3 }),
      })
      .map(({ pages, ...order }) => ({ ...order, endVpn: order.startVpn + pages })),
  });

export const remaps = (): fc.Arbitrary<Remap> =>
  fc.record({
    kind: fc.constant('remap' as const),
    asid: fc.constantFrom(...ASIDS),
    vpn: fc.integer(VPNS),
    pfn: fc.integer({ min: 0x80000, max: 0x8000f }),
    gone: fc.boolean(),
  });

interface Translation {
  readonly asid: number;
  readonly vpn: number;
  readonly pfn: number;
}
export interface Piece {
  readonly kind: number;
  readonly va: number;
  readonly pa: number;
  readonly size: number;
}
export interface Attempt {
  readonly trap: number;
  readonly fault: number;
  readonly pfn: number;
  readonly write: boolean;
  readonly pieces: readonly Piece[];
}

/**
 * An engine over a dictionary of pages, beside the set of what it may hold; and beside the architectural
 * facet of the same plugin, where it has one, which does of its own accord what the engine does.
 */
export class EngineUnderTest {
  readonly engine: TlbEngine;
  walks = 0;
  private readonly frames = new Map<string, { pfn: number; write: boolean }>();
  private readonly allowed: Translation[][];
  private running = { cpu: 0, asid: 0 };

  private readonly architectural: ArchitecturalTlb | undefined;

  constructor(make: (walker: Walker) => TlbEngine, cpus: number, model?: TlbPlugin['model']) {
    const pages = ASIDS.flatMap((asid) =>
      Array.from({ length: VPNS.max + 1 - VPNS.min }, (_, i) => ({ asid, vpn: VPNS.min + i })),
    );
    if (model !== undefined) this.architectural = new ArchitecturalTlb(model, cpus, pages);
    for (const { asid, vpn } of pages)
      this.frames.set(key(asid, vpn), {
        pfn: vpn === GLOBAL_VPN ? 0x90000 : 0x80000 + 0x100 * asid + vpn,
        write: true,
      });
    this.allowed = Array.from({ length: cpus }, () => []);
    this.engine = make({
      walk: (...args) => this.walk(...args),
      permissionStatus: (level) => 0b01101 + (level - 1) * 2,
    });
  }

  frameOf(asid: number, vpn: number): number {
    return this.frames.get(key(asid, vpn))?.pfn ?? -1;
  }
  unmap(asid: number, vpn: number): void {
    this.frames.delete(key(asid, vpn));
  }
  readOnly(asid: number, vpn: number): void {
    this.frames.set(key(asid, vpn), { pfn: this.frameOf(asid, vpn), write: false });
  }
  remap({ asid, vpn, pfn, gone }: Remap): void {
    // What is global is the same in every address space.
    for (const each of vpn === GLOBAL_VPN ? ASIDS : [asid])
      if (gone) this.unmap(each, vpn);
      else this.frames.set(key(each, vpn), { pfn, write: true });
  }

  /** The table root stands for the address space: `ttbr` is its ASID. */
  private walk(ttbr: number, vaLo: number, vaHi: number, result: Parameters<Walker['walk']>[3]): void {
    this.walks += 1;
    const vpn = Math.floor((vaHi * 2 ** 32 + (vaLo >>> 0)) / 4096);
    const found = this.frames.get(key(ttbr, vpn));
    const present = found !== undefined;
    Object.assign(result, {
      status: present ? 0 : 7,
      fault: present ? FaultKind.none : FaultKind.translation,
      level: 2,
    });
    Object.assign(result, { reads: 1, readBytes: 4, pageShift: 12, pfn: found?.pfn ?? 0 });
    result.readPa[0] = 0x1000 + vpn * 4;
    const global = vpn === GLOBAL_VPN ? PageFlag.global : 0;
    result.flags = PageFlag.user | PageFlag.execute | (found?.write === true ? PageFlag.write : 0) | global;
    const { cpu } = this.running;
    const asid = global === 0 ? this.running.asid : -1;
    if (found !== undefined) this.allowed[cpu]?.push({ asid, vpn, pfn: found.pfn });
    this.architectural?.walk(cpu, this.running.asid, vpn, found && { pfn: found.pfn, flags: result.flags });
  }

  attempt(access: Access): Attempt {
    const batch = accessBatch(1);
    pushAccess(batch, access.access, access.va, access.size);
    const out = translatedBatch(64);
    this.running = access;
    const reached = this.engine.translate(
      access.cpu,
      { asid: access.asid, ttbr: access.asid },
      batch,
      0,
      1,
      out,
    );
    const { kind: trap, fault, pfn, write } = this.engine.trap;
    const pieces = Array.from({ length: out.count }, (_, i): Piece => {
      const va = (out.vaHi[i] as number) * 2 ** 32 + (out.vaLo[i] as number);
      const pa = (out.paHi[i] as number) * 2 ** 32 + (out.paLo[i] as number);
      return { kind: out.kind[i] as number, va, pa, size: out.size[i] as number };
    });
    return { trap: reached === 1 ? TrapKind.none : trap, fault, pfn, write, pieces };
  }

  access(access: Access): void {
    const { trap, pieces } = this.attempt(access);
    if (trap !== TrapKind.none) return;
    for (const { kind, va, pa } of pieces) {
      if ((kind & PIECE_KIND_MASK) === AccessKind.walk) continue;
      const vpn = Math.floor(va / 4096);
      const held = (this.allowed[access.cpu] ?? []).filter(
        (each) => each.vpn === vpn && [access.asid, -1].includes(each.asid),
      );
      const where = `CPU ${access.cpu}, ASID ${access.asid}, page ${vpn}`;
      const allowed = new Set(held.map(({ pfn }) => pfn * 4096 + (va % 4096)));
      expect([...allowed], where).toContain(pa);
      const byArchitecture = this.architectural?.held(access.cpu, access.asid, va);
      if (byArchitecture !== undefined) expect(new Set(byArchitecture), where).toEqual(allowed);
    }
  }

  invalidate(cpu: number, order: TlbOrder): void {
    this.engine.invalidate(cpu, order);
    this.architectural?.invalidate(cpu, order);
    this.allowed[cpu] = (this.allowed[cpu] ?? []).filter((each) => !named(each, order));
  }

  /** All pieces of a list of accesses of CPU 0 under ASID 1, in one batch; faults are gone round by mapping. */
  run(list: readonly Access[]): Piece[] {
    const batch = accessBatch(list.length);
    for (const { access, va, size } of list) pushAccess(batch, access, va, size);
    const pieces: Piece[] = [];
    this.running = { cpu: 0, asid: 1 };
    for (let from = 0; from < list.length;) {
      const out = translatedBatch(40);
      from = this.engine.translate(0, { asid: 1, ttbr: 1 }, batch, from, list.length, out);
      for (let i = 0; i < out.count; i++)
        pieces.push({
          kind: out.kind[i] as number,
          va: out.vaLo[i] as number,
          pa: out.paLo[i] as number,
          size: out.size[i] as number,
        });
    }
    return pieces;
  }
}

const key = (asid: number, vpn: number): string => `${asid}:${vpn}`;

function named({ asid, vpn }: Translation, order: TlbOrder): boolean {
  const inRange = vpn >= order.startVpn && vpn < order.endVpn;
  if (order.scope === 'all') return true;
  if (order.scope === 'asid') return asid === order.asid;
  return inRange && (order.scope === 'va-all-asids' || asid === order.asid || asid === -1);
}
