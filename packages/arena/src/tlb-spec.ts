import { ConfigError } from '@tablewalk/base';
import type { ReplacementPolicy } from '@tablewalk/contracts';

/** One TLB. Sets = entries / ways, any number; the set is the page number modulo the sets. */
export interface TlbStructureSpec {
  readonly entries: number;
  /** Default: fully associative. */
  readonly ways?: number;
  /**
   * log2 of the page sizes that it holds. A larger mapping is cut to the largest of these that fits
   * (Cortex-A15 micro-TLBs: [12]). Default: any size when fully associative, else [12]. A
   * set-associative TLB is probed once for each size.
   */
  readonly pageShifts?: readonly number[];
  readonly replacement: ReplacementPolicy;
}

export interface TlbSpec {
  readonly cpus: number;
  readonly seed: number;
  /** A modify looks in the TLB for stores. */
  readonly first:
    | { readonly unified: TlbStructureSpec }
    | { readonly instruction: TlbStructureSpec; readonly data: TlbStructureSpec }
    | {
        readonly instruction: TlbStructureSpec;
        readonly load: TlbStructureSpec;
        readonly store: TlbStructureSpec;
      };
  /** Looked up at every miss of the first level; neither inclusive nor exclusive. */
  readonly second?: TlbStructureSpec;
  /**
   * Maintenance of the main TLB and every change of context empty the first level: Cortex-A9 TRM (ARM
   * DDI 0388), section 6.2, for the micro-TLBs.
   */
  readonly microFlush?: boolean;
}

export interface TlbGeometry {
  readonly sets: number;
  readonly ways: number;
  /** Largest first; empty: any size. */
  readonly pageShifts: readonly number[];
}

const ENTRIES_MAX = 2 ** 20;
const PAGE_SHIFT_MIN = 12;
const PAGE_SHIFT_MAX = 43;

export function tlbGeometry(name: string, spec: TlbStructureSpec): TlbGeometry {
  const { entries, ways = entries } = spec;
  const refuse = (what: string, fix: string): never => {
    throw new ConfigError('TLB_GEOMETRY', { what: `${name}: ${what}`, fix });
  };
  const counts = (value: number): boolean =>
    Number.isSafeInteger(value) && value >= 1 && value <= ENTRIES_MAX;
  if (!counts(entries)) refuse(`${entries} entries`, `a whole number from 1 to ${ENTRIES_MAX}`);
  if (!counts(ways) || entries % ways !== 0)
    refuse(`${entries} entries in ${ways} ways`, 'entries divide into whole sets of ways');
  const { pageShifts = ways === entries ? [] : [PAGE_SHIFT_MIN] } = spec;
  const possible = (shift: number): boolean => Number.isInteger(shift) && shift >= PAGE_SHIFT_MIN;
  for (const shift of pageShifts)
    if (!possible(shift) || shift > PAGE_SHIFT_MAX)
      refuse(`pages of 2^${shift} bytes`, `log2 of a size from 2^${PAGE_SHIFT_MIN} to 2^${PAGE_SHIFT_MAX}`);
  if (pageShifts.length === 0 && ways !== entries)
    refuse('sets, and no page size to choose one by', 'list pageShifts, or make it fully associative');
  const reason = spec.replacement.refuses?.(ways);
  if (reason !== undefined) refuse(reason, 'other ways, or another replacement policy');
  return { sets: entries / ways, ways, pageShifts: [...new Set(pageShifts)].sort((a, b) => b - a) };
}

/** The structures of one CPU by name, the second level last. `byKind`: which one I, L, S, M look in. */
export function tlbStructures(spec: TlbSpec): {
  readonly structures: readonly { readonly name: string; readonly spec: TlbStructureSpec }[];
  readonly byKind: readonly [number, number, number, number];
} {
  const { first, second } = spec;
  if (spec.microFlush === true && second === undefined)
    throw new ConfigError('TLB_GEOMETRY', {
      what: 'microFlush without a second level',
      why: 'it empties the micro-TLBs when the main TLB is maintained',
      fix: 'add a second level, or leave microFlush out',
    });
  const main = second === undefined ? [] : [{ name: 'l2tlb', spec: second }];
  if ('unified' in first)
    return { structures: [{ name: 'tlb', spec: first.unified }, ...main], byKind: [0, 0, 0, 0] };
  const instruction = { name: 'itlb', spec: first.instruction };
  if ('data' in first)
    return { structures: [instruction, { name: 'dtlb', spec: first.data }, ...main], byKind: [0, 1, 1, 1] };
  const load = { name: 'loadtlb', spec: first.load };
  const store = { name: 'storetlb', spec: first.store };
  return { structures: [instruction, load, store, ...main], byKind: [0, 1, 2, 2] };
}
