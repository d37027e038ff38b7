import type { TlbOrder } from '@tablewalk/contracts';
import type { TlbStructure } from './tlb-structure.ts';

/** Invalidates the entries that an order names, all without one; answers how many went. */
export function invalidateEntries(structure: TlbStructure, order?: TlbOrder): number {
  let count = 0;
  for (let slot = 0; slot < structure.slots; slot++) {
    if (!structure.isValid(slot) || (order !== undefined && !isNamed(structure, slot, order))) continue;
    structure.drop(slot);
    count += 1;
  }
  return count;
}

export const watchPage = (structure: TlbStructure, asid: number, vpn: number): number =>
  watchWhere(structure, (slot) => covers(structure, slot, vpn, vpn + 1) && isHeldBy(structure, slot, asid));

export const watchFrame = (structure: TlbStructure, pfn: number): number =>
  watchWhere(structure, (slot) => {
    const first = structure.frameOf(slot, 0);
    return pfn >= first && pfn < first + pagesOf(structure, slot);
  });

export function countValid(structure: TlbStructure): number {
  let count = 0;
  for (let slot = 0; slot < structure.slots; slot++) if (structure.isValid(slot)) count += 1;
  return count;
}

export function countWatched(structure: TlbStructure): number {
  let count = 0;
  for (let slot = 0; slot < structure.slots; slot++)
    if (structure.isValid(slot) && structure.isWatched(slot)) count += 1;
  return count;
}

/** ARM ARM DDI 0406C, B3.10.5: TLBIALL, TLBIASID (global entries stay), TLBIMVA, TLBIMVAA. */
function isNamed(structure: TlbStructure, slot: number, order: TlbOrder): boolean {
  const { scope, asid, startVpn, endVpn } = order;
  switch (scope) {
    case 'all':
      return true;
    case 'asid':
      return !structure.isGlobal(slot) && structure.asidOf(slot) === asid;
    case 'va':
      return isHeldBy(structure, slot, asid) && covers(structure, slot, startVpn, endVpn);
    case 'va-all-asids':
      return covers(structure, slot, startVpn, endVpn);
  }
}

const isHeldBy = (structure: TlbStructure, slot: number, asid: number): boolean =>
  structure.isGlobal(slot) || structure.asidOf(slot) === asid;

const pagesOf = (structure: TlbStructure, slot: number): number =>
  2 ** ((structure.pageShift[slot] as number) - 12);

/** Does the entry translate some page of `[startVpn, endVpn)`? */
function covers(structure: TlbStructure, slot: number, startVpn: number, endVpn: number): boolean {
  const first = structure.firstVpn(slot);
  return first < endVpn && startVpn < first + pagesOf(structure, slot);
}

function watchWhere(structure: TlbStructure, chosen: (slot: number) => boolean): number {
  let count = 0;
  for (let slot = 0; slot < structure.slots; slot++) {
    if (!structure.isValid(slot) || !chosen(slot)) continue;
    structure.watch(slot);
    count += 1;
  }
  return count;
}
