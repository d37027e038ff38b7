import { prngSeed } from '@tablewalk/base';
import type { Digest, PrngState } from '@tablewalk/base';
import { PageFlag } from '@tablewalk/contracts';
import type { ReplacementPolicy, TlbOrder, WalkResult } from '@tablewalk/contracts';

/**
 * One TLB of one CPU, as lanes of typed arrays. Entry `set * ways + way`. Invariants:
 * 1. `tag` is the first virtual page that the entry covers, INVALID, or WATCHED_BASE - page for an
 *    entry that is valid but watched; so neither an invalid nor a watched entry ever matches.
 * 2. `context` is the entry's ASID, or GLOBAL.
 * 3. `newest[set]` is the entry of the set that was touched or filled last.
 * A match is the rule of Cortex-A9 TRM DDI 0388I 6.2.3: the MVA's page number is equal, and the entry is
 * global or its ASID is the current one.
 */
export const INVALID = -1;
const WATCHED_BASE = -2;
export const GLOBAL = -1;

export class TlbArray {
  readonly sets: number;
  readonly tag: Int32Array;
  /** Keeps of a virtual page number what the entry compares: all of it for a page, less for a section. */
  readonly mask: Int32Array;
  readonly context: Int32Array;
  readonly pfn: Int32Array;
  readonly flags: Uint8Array;
  readonly pageShift: Uint8Array;
  readonly newest: Int32Array;
  /** Where the CPU counts this array's lookups, then its misses. */
  lookupCounter = 0;
  evictions = 0;
  flushed = 0;
  watched = 0;

  private readonly lane: Int32Array;
  private readonly laneWords: number;
  private readonly globals: number;
  private readonly random: PrngState;
  private readonly commonShift: number;

  /** `shifts`: log2 of the page sizes that may be held; several need a probe each unless there is one set. */
  constructor(
    entries: number,
    readonly ways: number,
    readonly shifts: readonly number[],
    private readonly policy: ReplacementPolicy,
    seed: number,
    stream: number,
  ) {
    this.sets = entries / ways;
    this.tag = new Int32Array(entries).fill(INVALID);
    this.mask = new Int32Array(entries).fill(-1);
    this.context = new Int32Array(entries);
    this.pfn = new Int32Array(entries);
    this.flags = new Uint8Array(entries);
    this.pageShift = new Uint8Array(entries);
    this.newest = Int32Array.from({ length: this.sets }, (_, set) => set * ways);
    this.laneWords = policy.words(ways);
    this.globals = this.laneWords * this.sets;
    this.lane = new Int32Array(this.globals + (policy.globalWords ?? 0));
    for (let set = 0; set < this.sets; set++) policy.reset(this.lane, set * this.laneWords, ways);
    this.random = prngSeed(seed, stream);
    this.commonShift = (shifts[0] as number) - 12;
  }

  /** The entry that translates a page in this context, or -1; renews it in its set. */
  lookup(vpn: number, asid: number): number {
    if (this.sets === 1) return this.lookupIn(0, vpn, asid);
    for (let i = 0; i < this.shifts.length; i++) {
      const entry = this.lookupIn(this.setOf(vpn, this.shifts[i] as number), vpn, asid);
      if (entry >= 0) return entry;
    }
    return -1;
  }

  /** The set whose newest entry is worth a first look. */
  newestSet(vpn: number): number {
    return this.sets === 1 ? 0 : (vpn >>> this.commonShift) % this.sets;
  }

  /** Is there an ordinary entry for the page? Renews nothing. */
  peek(vpn: number, asid: number): boolean {
    for (let entry = 0; entry < this.tag.length; entry++)
      if ((this.tag[entry] as number) >= 0 && this.covers(entry, vpn, asid)) return true;
    return false;
  }

  setOf(vpn: number, shift: number): number {
    return this.sets === 1 ? 0 : (vpn >>> (shift - 12)) % this.sets;
  }

  private lookupIn(set: number, vpn: number, asid: number): number {
    const { tag, mask, context, ways } = this;
    const first = set * ways;
    for (let entry = first; entry < first + ways; entry++)
      if ((vpn & (mask[entry] as number)) === tag[entry] && (context[entry] === asid || context[entry] === GLOBAL)) {
        if (this.newest[set] !== entry) {
          this.newest[set] = entry;
          if (this.policy.ignoresHits !== true) this.policy.touch(this.lane, set * this.laneWords, ways, entry - first);
        }
        return entry;
      }
    return -1;
  }

  /** Takes in what a walk found; answers the entry. */
  fill(vpn: number, asid: number, found: Pick<WalkResult, 'pfn' | 'pageShift' | 'flags'>): number {
    const mask = found.pageShift === 12 ? -1 : -(2 ** (found.pageShift - 12));
    const context = (found.flags & PageFlag.global) === 0 ? asid : GLOBAL;
    return this.place(this.setOf(vpn, found.pageShift), vpn & mask, mask, context, found);
  }

  /** Takes in an entry of another level. */
  copy(vpn: number, from: TlbArray, entry: number): number {
    const pageShift = from.pageShift[entry] as number;
    const found = { pfn: from.pfn[entry] as number, pageShift, flags: from.flags[entry] as number };
    const mask = from.mask[entry] as number;
    return this.place(this.setOf(vpn, pageShift), vpn & mask, mask, from.context[entry] as number, found);
  }

  private place(
    set: number,
    tag: number,
    mask: number,
    context: number,
    found: Pick<WalkResult, 'pfn' | 'pageShift' | 'flags'>,
  ): number {
    const first = set * this.ways;
    const way = this.wayToFill(set, first);
    const entry = first + way;
    if (this.tag[entry] !== INVALID) {
      this.evictions += 1;
      this.unwatch(entry);
    }
    this.tag[entry] = tag;
    this.mask[entry] = mask;
    this.context[entry] = context;
    this.pfn[entry] = found.pfn;
    this.flags[entry] = found.flags;
    this.pageShift[entry] = found.pageShift;
    this.policy.fill(this.lane, set * this.laneWords, this.ways, way, this.globals);
    this.newest[set] = entry;
    return entry;
  }

  private wayToFill(set: number, first: number): number {
    if (this.policy.ownsInvalidWays !== true)
      for (let way = 0; way < this.ways; way++) if (this.tag[first + way] === INVALID) return way;
    return this.policy.victim(this.lane, set * this.laneWords, this.ways, this.random, this.globals);
  }

  /** Invalidates what an order names; answers how many valid entries went. */
  invalidate(order: TlbOrder): number {
    let gone = 0;
    for (let entry = 0; entry < this.tag.length; entry++) {
      if (this.tag[entry] === INVALID || !this.named(entry, order)) continue;
      this.unwatch(entry);
      this.tag[entry] = INVALID;
      gone += 1;
    }
    this.flushed += gone;
    return gone;
  }

  /** ARM ARM DDI 0406C B4.2.2: by ASID leaves global entries; by MVA takes them. */
  private named(entry: number, { scope, asid, startVpn, endVpn }: TlbOrder): boolean {
    if (scope === 'all') return true;
    const context = this.context[entry] as number;
    if (scope === 'asid') return context === asid;
    if (scope === 'va' && context !== asid && context !== GLOBAL) return false;
    const first = this.firstPage(entry);
    return first < endVpn && first + 2 ** ((this.pageShift[entry] as number) - 12) > startVpn;
  }

  private firstPage(entry: number): number {
    const tag = this.tag[entry] as number;
    return tag >= 0 ? tag : WATCHED_BASE - tag;
  }

  /** Watches every entry for which `chosen` holds; answers how many there are. */
  watch(chosen: (entry: number) => boolean): number {
    let count = 0;
    for (let entry = 0; entry < this.tag.length; entry++) {
      const tag = this.tag[entry] as number;
      if (tag === INVALID || !chosen(entry)) continue;
      count += 1;
      if (tag < 0) continue;
      this.tag[entry] = WATCHED_BASE - tag;
      this.watched += 1;
    }
    return count;
  }

  leadsInto(entry: number, pfn: number): boolean {
    const first = this.pfn[entry] as number;
    return pfn >= first && pfn < first + 2 ** ((this.pageShift[entry] as number) - 12);
  }

  /** Does the entry cover this page in this context, watched or not? */
  covers(entry: number, vpn: number, asid: number): boolean {
    const context = this.context[entry];
    return (vpn & (this.mask[entry] as number)) === this.firstPage(entry) && (context === asid || context === GLOBAL);
  }

  /** The watched entry that would have matched, or -1. */
  findWatched(vpn: number, asid: number): number {
    for (let entry = 0; this.watched > 0 && entry < this.tag.length; entry++)
      if ((this.tag[entry] as number) < INVALID && this.covers(entry, vpn, asid)) return entry;
    return -1;
  }

  /** A watched entry becomes an ordinary one again. */
  unwatch(entry: number): void {
    const tag = this.tag[entry] as number;
    if (tag >= INVALID) return;
    this.tag[entry] = WATCHED_BASE - tag;
    this.watched -= 1;
  }

  valid(): number {
    let count = 0;
    for (const tag of this.tag) if (tag !== INVALID) count += 1;
    return count;
  }

  digestInto(digest: Digest): void {
    for (const column of [this.tag, this.mask, this.context, this.pfn, this.flags, this.lane]) digest.words(column);
    digest.words(this.random);
  }
}
