import { assert, hex, TraceError } from '@tablewalk/base';

/** Regions are moved whole: 1 MiB, the size of a section of the short-descriptor format. */
const REGION_SHIFT = 20;
const REGIONS = 2 ** (32 - REGION_SHIFT);
const REGIONS_BELOW_2_48 = 2 ** (48 - REGION_SHIFT);

/** TASK_SIZE of a 3G/1G ARM kernel (arch/arm/include/asm/memory.h): PAGE_OFFSET less 16 MiB for modules. */
export const REBASE_CEILING = 0xbf000000;
/** Room above the first region that is moved, for its neighbours. */
const HEADROOM_REGIONS = 16;
/** Regions above 2^32 that are found without a map, by their low bits. */
const RECENT = 256;

export interface RebaseMove {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}
export interface RebaseSummary {
  /** What was moved, in ascending order; neighbours that moved together are one entry. */
  readonly moves: readonly RebaseMove[];
  /** References that were moved. */
  readonly references: number;
}

/**
 * Folds addresses of 2^32 and above into 32 bits, by regions of 1 MiB. valgrind on a 64-bit host puts
 * the stack at 0x1f_ff000000 (37 bits); a 32-bit machine needs it somewhere.
 *
 * 1. A region stays where it is, or where it was first moved to (stable).
 * 2. No two regions are in one place (injective); addresses below 2^32 never move.
 * 3. Regions that a reference spans stay neighbours; what cannot be is refused.
 * A region goes, if that is free, beside the neighbour that moved before it, else to its own low 32
 * bits, else to the highest free place below the ceiling. The trace alone decides: two readings give the
 * same places.
 */
export class Rebase {
  /** The region that lives in each region below 2^32; -1 free. */
  private readonly tenant = new Int32Array(REGIONS).fill(-1);
  private readonly places = new Map<number, number>();
  private readonly recent = new Int32Array(RECENT).fill(-1);
  private readonly recentPlace = new Int32Array(RECENT);
  private references = 0;

  /** `ceiling`: moved regions lie below it. */
  constructor(private readonly ceiling: number = REBASE_CEILING) {
    assert(ceiling > 0 && ceiling <= 2 ** 32, 'moved regions stay below 2^32');
    assert(ceiling % 2 ** REGION_SHIFT === 0, 'the ceiling is no 1 MiB boundary');
  }

  /** The new address of the reference's first byte. `at` names the line for a refusal. */
  move(va: number, size: number, at: () => string): number {
    const first = Math.floor(va / 2 ** REGION_SHIFT);
    const last = Math.floor((va + size - 1) / 2 ** REGION_SHIFT);
    assert(last < REGIONS_BELOW_2_48, 'the reader refuses addresses above 2^48');
    const place = this.placeOf(first, at);
    for (let region = first + 1; region <= last; region++)
      if (this.placeOf(region, at) !== place + region - first) throw torn(region, at());
    if (first >= REGIONS) {
      this.references += 1;
      this.recent[first & (RECENT - 1)] = first;
      this.recentPlace[first & (RECENT - 1)] = place;
    }
    return va - (first - place) * 2 ** REGION_SHIFT;
  }

  /**
   * The region below 2^32 where a reference of one region goes; -1: not known here, ask `move`. Nothing is
   * counted: who goes by it calls `count`.
   */
  knownPlace(hi: number, lo: number, size: number): number {
    if ((lo & (2 ** REGION_SHIFT - 1)) + size > 2 ** REGION_SHIFT) return -1;
    const low = lo >>> REGION_SHIFT;
    if (hi === 0) return this.tenant[low] === low ? low : -1;
    const region = (hi << (32 - REGION_SHIFT)) | low;
    const at = region & (RECENT - 1);
    return this.recent[at] === region ? (this.recentPlace[at] as number) : -1;
  }

  /** So many references above 2^32 were moved by `knownPlace`. */
  count(moved: number): void {
    this.references += moved;
  }

  summary(): RebaseSummary {
    const moves: { from: number; to: number; bytes: number }[] = [];
    for (const region of [...this.places.keys()].sort((a, b) => a - b)) {
      const from = region * 2 ** REGION_SHIFT;
      const to = (this.places.get(region) as number) * 2 ** REGION_SHIFT;
      const before = moves.at(-1);
      if (before !== undefined && before.from + before.bytes === from && before.to + before.bytes === to)
        before.bytes += 2 ** REGION_SHIFT;
      else moves.push({ from, to, bytes: 2 ** REGION_SHIFT });
    }
    return { moves, references: this.references };
  }

  private placeOf(region: number, at: () => string): number {
    if (region < REGIONS) {
      const tenant = this.tenant[region] as number;
      if (tenant !== -1 && tenant !== region) throw occupied(region, tenant, at());
      this.tenant[region] = region;
      return region;
    }
    const known = this.places.get(region);
    if (known !== undefined) return known;
    const place = this.freePlace(region);
    if (place === undefined) throw full(region, this.ceiling, at());
    this.tenant[place] = region;
    this.places.set(region, place);
    return place;
  }

  private freePlace(region: number): number | undefined {
    const end = this.ceiling / 2 ** REGION_SHIFT;
    const free = (place: number): boolean => place >= 0 && place < end && this.tenant[place] === -1;
    const below = this.places.get(region - 1);
    if (below !== undefined && free(below + 1)) return below + 1;
    const above = this.places.get(region + 1);
    if (above !== undefined && free(above - 1)) return above - 1;
    if (free(region % REGIONS)) return region % REGIONS;
    for (let place = end - HEADROOM_REGIONS; place >= 0; place--) if (free(place)) return place;
    for (let place = end - 1; place > end - HEADROOM_REGIONS; place--) if (free(place)) return place;
    return undefined;
  }
}

const bounds = (region: number): string =>
  `${hex(region * 2 ** REGION_SHIFT)}..${hex((region + 1) * 2 ** REGION_SHIFT - 1)}`;

const occupied = (region: number, tenant: number, at: string): TraceError =>
  new TraceError('TRACE_REBASE_COLLISION', {
    what: `the trace uses ${bounds(region)}, where ${bounds(tenant)} has been moved`,
    why: 'two regions in one place would be taken for one; addresses below 2^32 never move',
    fix: 'use a machine with wider addresses, or a trace captured on a 32-bit system',
    at,
  });

const torn = (region: number, at: string): TraceError =>
  new TraceError('TRACE_REBASE_COLLISION', {
    what: `a reference runs into ${bounds(region)}, which could not stay beside the region before it`,
    why: 'its bytes would be torn apart',
    fix: 'use a machine with wider addresses, or a trace captured on a 32-bit system',
    at,
  });

const full = (region: number, ceiling: number, at: string): TraceError =>
  new TraceError('TRACE_REBASE_COLLISION', {
    what: `no free 1 MiB below ${hex(ceiling)} for ${bounds(region)}`,
    why: 'the trace touches more regions than 32 bits have',
    fix: 'use a machine with wider addresses',
    at,
  });
