import { sliceKey } from '@tablewalk/contracts';
import type { TlbOrder } from '@tablewalk/contracts';

/**
 * What a CPU may hold of translations, as state that can be compared: equal states are deep-equal. There is
 * no order of use, no set and no way in it: which entry goes is the hardware's freedom, not a policy.
 */
export interface HeldTranslation {
  /** 0 for a global entry, which matches under every ASID. */
  readonly asid: number;
  readonly global: boolean;
  /** Of the first 4 KiB that the entry covers, as `pfn` is. */
  readonly vpn: number;
  readonly pfn: number;
  readonly pageShift: number;
  readonly write: boolean;
}

/** A table walk under way: where it reads next, or what it has found and not yet used. */
export type Walk =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'reading';
      readonly va: number;
      readonly asid: number;
      readonly level: number;
      readonly pa: number;
      readonly inherited: number;
    }
  | ({ readonly kind: 'found'; readonly va: number } & HeldTranslation);

export interface CpuTlb {
  /** Ascending, each once. */
  entries: HeldTranslation[];
  /** The walk of the access that the CPU waits for. */
  demand: Walk;
  /** The walk that nobody asked for. */
  speculative: Walk;
}
/** By CPU. */
export type TlbModelState = CpuTlb[];
export const tlbModelKey = sliceKey<TlbModelState>('tlb');

export const IDLE: Walk = { kind: 'idle' };
export const pageOf = (va: number): number => va - (va % 4096);
const pagesOf = (pageShift: number): number => 2 ** (pageShift - 12);

/** The physical address that a translation gives. */
export const translated = ({ vpn, pfn }: HeldTranslation, va: number): number =>
  pfn * 4096 + (va - vpn * 4096);

/** Cortex-A9 TRM DDI 0388I 6.2: the address bits above the page are equal, and global or the ASID is. */
export const covers = (entry: HeldTranslation, asid: number, va: number): boolean => {
  const vpn = Math.floor(va / 4096);
  const inside = vpn >= entry.vpn && vpn < entry.vpn + pagesOf(entry.pageShift);
  return inside && (entry.global || entry.asid === asid);
};

export const matches = ({ entries }: CpuTlb, asid: number, va: number): readonly HeldTranslation[] =>
  entries.filter((entry) => covers(entry, asid, va));

/** Is this entry named? ARM ARM DDI 0406C B3.10.5: by ASID spares global entries, by MVA takes them along. */
export function entryNamed(entry: HeldTranslation, order: TlbOrder): boolean {
  if (order.scope === 'all') return true;
  if (order.scope === 'asid') return !entry.global && entry.asid === order.asid;
  const inRange = entry.vpn < order.endVpn && entry.vpn + pagesOf(entry.pageShift) > order.startVpn;
  return inRange && (order.scope === 'va-all-asids' || entry.global || entry.asid === order.asid);
}

/**
 * Does an order end this walk? The DSB that completes it waits for every walk that could still give an old
 * translation: none of what such a walk has read may be used afterwards (spec/tlb-and-shootdown.md, 4).
 */
export function walkNamed(walk: Walk, order: TlbOrder): boolean {
  if (walk.kind === 'idle') return false;
  if (walk.kind === 'found') return entryNamed(walk, order);
  if (order.scope === 'all') return true;
  const vpn = walk.va / 4096;
  const inRange = vpn >= order.startVpn && vpn < order.endVpn;
  if (order.scope === 'va-all-asids') return inRange;
  return walk.asid === order.asid && (order.scope === 'asid' || inRange);
}

const FIELDS = ['asid', 'global', 'vpn', 'pageShift', 'pfn', 'write'] as const;
function compare(a: HeldTranslation, b: HeldTranslation): number {
  for (const field of FIELDS) {
    const difference = Number(a[field]) - Number(b[field]);
    if (difference !== 0) return difference;
  }
  return 0;
}
export const sameTranslation = (a: HeldTranslation, b: HeldTranslation): boolean => compare(a, b) === 0;

/** Puts an entry in its place, unless it is there. */
export function hold(entries: HeldTranslation[], entry: HeldTranslation): void {
  const place = entries.findIndex((other) => compare(other, entry) >= 0);
  if (place < 0) entries.push(entry);
  else if (!sameTranslation(entries[place] as HeldTranslation, entry)) entries.splice(place, 0, entry);
}
