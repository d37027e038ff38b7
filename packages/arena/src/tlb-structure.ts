import type { PrngState } from '@tablewalk/base';
import { CodedError } from '@tablewalk/base';
import { AccessKind, PageFlag } from '@tablewalk/contracts';
import type { ReplacementPolicy, WalkResult } from '@tablewalk/contracts';
import type { Arena } from './arena.ts';
import type { TlbGeometry } from './tlb-spec.ts';

/**
 * An entry's holder word: ASID, and bits 47:44 of the address (page numbers of 4 KiB have 36 bits, and
 * `vpn` holds 32). The two flags are never set in what is looked for, so such an entry never matches.
 */
const WATCHED = 1 << 29;
export const EMPTY = 1 << 30;
const VA_TOP = 0xf;
/** Where an entry is global: what of the holder word counts. */
export const GLOBAL_MASK = VA_TOP | WATCHED | EMPTY;
export const ASID_MAX = 2 ** 24 - 1;
export const holderWord = (asid: number, vaHi: number): number => (asid << 4) | (vaHi >>> 12);

export const HINTS = 1024;
/** Above it, bits of the address that `vpn` does not hold take part in the choice of a set. */
const MASKED_SHIFT_MAX = 24;
const hashOf = (vpn: number): number => (vpn ^ (vpn >>> 8)) & (HINTS - 1);
const TWO_32 = 2 ** 32;

/** Which kinds of access an entry allows at PL0, one bit a kind. */
export function allowedKinds(flags: number): number {
  if ((flags & PageFlag.user) === 0) return 0;
  const read = 1 << AccessKind.load;
  const write = (1 << AccessKind.store) | (1 << AccessKind.modify);
  const execute = (flags & PageFlag.execute) !== 0 ? 1 << AccessKind.fetch : 0;
  return read | execute | ((flags & PageFlag.write) !== 0 ? write : 0);
}

/**
 * One TLB of one CPU, as columns; way w of set s is slot `s * ways + w`. An entry holds what the walk
 * found when it was filled; changes of the table are invisible (Cortex-A9 TRM, ARM DDI 0388, 6.2: match on
 * address bits above the page size, and global or the same ASID).
 *
 * 1. `newest[set]` is the way touched or filled last, or -1: a hit there needs no call of the policy. Under a policy
 *    that ignores hits it is the way filled last.
 * 2. `hints` only shortens the search; what it names is compared as any other way. It is no part of the arena.
 * 3. `present[h]` counts the valid entries for a page of 4 KiB with hash h: where it is 0, and no entry is
 *    `large`, there is nothing to search for.
 */
export class TlbStructure {
  readonly slots: number;
  readonly vpn: Int32Array;
  readonly vpnMask: Int32Array;
  readonly holder: Int32Array;
  readonly holderMask: Int32Array;
  readonly pageShift: Uint8Array;
  readonly allowed: Uint8Array;
  readonly level: Uint8Array;
  /** Physical address of the page. */
  readonly paLo: Int32Array;
  readonly paHi: Int32Array;
  /** How often an entry was filled, dropped, watched or unwatched here; loops that are made fill by themselves. */
  changes = 0;
  /** Of the last change: the entry, and the pages that it translated before (bits as in `vpn`, `vpnMask`). */
  changed = -1;
  changedVpn = 0;
  changedMask = 0;
  /** Must `touch` be called for hits? */
  readonly listensToHits: boolean;
  /** Did the last fill drive out a valid entry? */
  evicted = false;
  readonly newest: Int32Array;
  readonly hints = new Int32Array(HINTS);
  readonly present = new Uint16Array(HINTS);
  /** Valid entries, and those of them that translate more than a page of 4 KiB. */
  valid = 0;
  large = 0;
  readonly lane: Int32Array;
  readonly laneWords: number;
  readonly globals: number;
  readonly random: PrngState;
  /** Is a set's number some bits of the page's? */
  readonly setsByMask: boolean;
  readonly ownsInvalidWays: boolean;

  constructor(
    arena: Arena,
    private readonly name: string,
    readonly geometry: TlbGeometry,
    readonly policy: ReplacementPolicy,
    seed: number,
  ) {
    const { sets, ways, pageShifts } = geometry;
    this.slots = sets * ways;
    this.setsByMask = Math.log2(sets) % 1 === 0 && pageShifts.every((shift) => shift <= MASKED_SHIFT_MAX);
    this.vpn = arena.int32(this.slots);
    this.vpnMask = arena.int32(this.slots);
    this.holder = arena.int32(this.slots, EMPTY);
    this.holderMask = arena.int32(this.slots, -1);
    this.pageShift = arena.uint8(this.slots);
    this.allowed = arena.uint8(this.slots);
    this.level = arena.uint8(this.slots);
    this.paLo = arena.int32(this.slots);
    this.paHi = arena.int32(this.slots);
    this.newest = arena.int32(sets, -1);
    this.laneWords = policy.words(ways);
    this.globals = sets * this.laneWords;
    this.lane = arena.int32(this.globals + (policy.globalWords ?? 0));
    for (let set = 0; set < sets; set++) policy.reset(this.lane, set * this.laneWords, ways);
    this.random = arena.generator(seed);
    this.listensToHits = policy.ignoresHits !== true;
    this.ownsInvalidWays = policy.ownsInvalidWays === true;
  }

  /** The entry that translates a page for a holder, or -1. */
  find(vpn: number, holder: number): number {
    const hint = hashOf(vpn);
    if (this.present[hint] === 0 && this.large === 0) return -1;
    const likely = this.hints[hint] as number;
    if (this.matches(likely, vpn, holder)) return likely;
    const { sets, ways, pageShifts } = this.geometry;
    const probes = sets === 1 ? 1 : pageShifts.length;
    for (let probe = 0; probe < probes; probe++) {
      const first = sets === 1 ? 0 : this.setOf(vpn, holder & VA_TOP, pageShifts[probe] as number) * ways;
      for (let slot = first; slot < first + ways; slot++)
        if (this.matches(slot, vpn, holder)) {
          this.hints[hint] = slot;
          return slot;
        }
    }
    return -1;
  }

  /** The watched entry that would translate a page, or -1. */
  findWatched(vpn: number, holder: number): number {
    return this.find(vpn, holder | WATCHED);
  }

  touch(slot: number): void {
    if (!this.listensToHits) return;
    const { ways } = this.geometry;
    const set = Math.floor(slot / ways);
    if (this.newest[set] === slot) return;
    this.newest[set] = slot;
    this.policy.touch(this.lane, set * this.laneWords, ways, slot - set * ways);
  }

  /** Holds what a walk found, for the page of it that contains `vpn`, at the largest size that fits here. */
  fill(vpn: number, holder: number, found: WalkResult): number {
    const { pfn } = found;
    const global = (found.flags & PageFlag.global) !== 0;
    const slot = this.place(vpn, holder, global, found.pageShift, pfn << 12, Math.floor(pfn / 2 ** 20));
    this.allowed[slot] = allowedKinds(found.flags);
    this.level[slot] = found.level;
    return slot;
  }

  /** As `fill`, from the entry of another level. */
  copy(vpn: number, holder: number, from: TlbStructure, source: number): number {
    const global = (from.holderMask[source] as number) !== -1;
    const shift = from.pageShift[source] as number;
    const paLo = from.paLo[source] as number;
    const slot = this.place(vpn, holder, global, shift, paLo, from.paHi[source] as number);
    this.allowed[slot] = from.allowed[source] as number;
    this.level[slot] = from.level[source] as number;
    return slot;
  }

  /** The frame of 4 KiB to which an entry takes an address. */
  frameOf(slot: number, va: number): number {
    const offset = va % 2 ** (this.pageShift[slot] as number);
    return Math.floor(
      ((this.paHi[slot] as number) * TWO_32 + ((this.paLo[slot] as number) >>> 0) + offset) / 4096,
    );
  }

  isValid(slot: number): boolean {
    return ((this.holder[slot] as number) & EMPTY) === 0;
  }

  isGlobal(slot: number): boolean {
    return (this.holderMask[slot] as number) !== -1;
  }

  /** The ASID that a valid entry was filled under. */
  asidOf(slot: number): number {
    return ((this.holder[slot] as number) & ~WATCHED) >>> 4;
  }

  /** The first page of 4 KiB that an entry translates. */
  firstVpn(slot: number): number {
    return ((this.holder[slot] as number) & VA_TOP) * TWO_32 + ((this.vpn[slot] as number) >>> 0);
  }

  drop(slot: number): void {
    this.noteChange(slot);
    if (this.isValid(slot)) this.countPresent(slot, -1);
    this.holder[slot] = EMPTY;
    const set = Math.floor(slot / this.geometry.ways);
    if (this.newest[set] === slot) this.newest[set] = -1;
  }

  isWatched(slot: number): boolean {
    return ((this.holder[slot] as number) & WATCHED) !== 0;
  }

  watch(slot: number): void {
    this.noteChange(slot);
    this.holder[slot] = (this.holder[slot] as number) | WATCHED;
  }

  unwatch(slot: number): void {
    this.noteChange(slot);
    this.holder[slot] = (this.holder[slot] as number) & ~WATCHED;
  }

  /** Counts anew what is derived from the entries, after they were put back from an image. */
  reindex(): void {
    this.changes += 1;
    // Any entry may be another one now.
    this.changedMask = 0;
    this.present.fill(0);
    this.large = 0;
    this.valid = 0;
    for (let slot = 0; slot < this.slots; slot++) if (this.isValid(slot)) this.countPresent(slot, 1);
  }

  private countPresent(slot: number, by: number): void {
    this.valid += by;
    if (this.vpnMask[slot] !== -1) this.large += by;
    else (this.present[hashOf(this.vpn[slot] as number)] as number) += by;
  }

  private noteChange(slot: number): void {
    this.changes += 1;
    this.changed = slot;
    this.changedVpn = this.vpn[slot] as number;
    this.changedMask = this.vpnMask[slot] as number;
  }

  private matches(slot: number, vpn: number, holder: number): boolean {
    const page = (vpn ^ (this.vpn[slot] as number)) & (this.vpnMask[slot] as number);
    return (page | ((holder ^ (this.holder[slot] as number)) & (this.holderMask[slot] as number))) === 0;
  }

  setOf(vpn: number, top: number, pageShift: number): number {
    const { sets } = this.geometry;
    if (this.setsByMask) return (vpn >>> (pageShift - 12)) & (sets - 1);
    return Math.floor((top * TWO_32 + (vpn >>> 0)) / 2 ** (pageShift - 12)) % sets;
  }

  private place(
    vpn: number,
    holder: number,
    global: boolean,
    mapped: number,
    paLo: number,
    paHi: number,
  ): number {
    const { sets, ways, pageShifts } = this.geometry;
    const shift = pageShifts.length === 0 ? mapped : largestUpTo(pageShifts, mapped);
    if (shift < 0) throw tooSmall(this.name, mapped);
    const set = sets === 1 ? 0 : this.setOf(vpn, holder & VA_TOP, shift);
    const first = set * ways;
    const base = set * this.laneWords;
    let slot = first;
    if (this.ownsInvalidWays || this.valid === this.slots) slot += ways;
    else while (slot < first + ways && this.isValid(slot)) slot += 1;
    if (slot === first + ways)
      slot = first + this.policy.victim(this.lane, base, ways, this.random, this.globals);
    this.evicted = this.isValid(slot);
    this.noteChange(slot);
    if (this.evicted) this.countPresent(slot, -1);
    const mask = shift >= 44 ? 0 : -1 << (shift - 12);
    this.vpn[slot] = vpn & mask;
    this.vpnMask[slot] = mask;
    this.holder[slot] = holder;
    this.countPresent(slot, 1);
    this.holderMask[slot] = global ? GLOBAL_MASK : -1;
    this.pageShift[slot] = shift;
    // Of a mapping that is larger than the entry, the part around `vpn`.
    const inside = (vpn & mask & ~(mapped >= 44 ? 0 : -1 << (mapped - 12))) >>> 0;
    this.paLo[slot] = paLo + (inside << 12);
    this.paHi[slot] = paHi + (inside >>> 20);
    this.policy.fill(this.lane, base, ways, slot - first, this.globals);
    this.newest[set] = slot;
    return slot;
  }
}

/** The first of a descending list that is not above `limit`; -1: none. */
function largestUpTo(descending: readonly number[], limit: number): number {
  for (const value of descending) if (value <= limit) return value;
  return -1;
}

const tooSmall = (name: string, shift: number): CodedError =>
  new CodedError('TLB_PAGE_SIZE', {
    what: `${name} cannot hold a page of 2^${shift} bytes`,
    why: 'it is smaller than every size in pageShifts',
    fix: 'list that size',
  });
