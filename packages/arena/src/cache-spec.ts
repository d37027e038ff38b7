import { ConfigError } from '@tablewalk/base';
import type { ReplacementPolicy } from '@tablewalk/contracts';

/** One cache. Give its size or its sets. */
export interface CacheSpec {
  readonly sizeBytes?: number;
  readonly sets?: number;
  readonly ways: number;
  readonly lineBytes: number;
  /** What chooses the set, and what is compared. Default: both the physical address. */
  readonly index?: AddressSpace;
  readonly tag?: AddressSpace;
  readonly replacement: ReplacementPolicy;
}
export type AddressSpace = 'va' | 'pa';
export type WritePolicy = 'write-back' | 'write-through';

export interface OuterCacheSpec extends CacheSpec {
  /** One for all CPUs, or one for each. */
  readonly shared: boolean;
}

export interface CacheHierarchySpec {
  readonly cpus: number;
  readonly l1:
    { readonly unified: CacheSpec } | { readonly instruction: CacheSpec; readonly data: CacheSpec };
  readonly l2?: OuterCacheSpec;
  readonly seed: number;
  /** Widths of the addresses that come. Default 32. A line number must fit in 32 bits. */
  readonly vaBits?: number;
  readonly paBits?: number;
  /**
   * Of the L1s; the L2 always writes back. `write-back` (default) allocates on a write miss;
   * `write-through` hands every store down at once and does not allocate, as ARM926 and ARM11 do.
   */
  readonly writePolicy?: WritePolicy;
  /** Where the walker's descriptor reads look first. Default `l1d`. */
  readonly walks?: 'l1d' | 'l2' | 'memory';
  /** Whose rules count (see cache-hierarchy.ts). Default `line`. */
  readonly accounting?: CacheAccounting;
  /** Count misses by class: compulsory, capacity, conflict (Dinero IV -ccc). */
  readonly classify?: boolean;
}
export type CacheAccounting = 'line' | 'drcachesim' | 'cachegrind' | 'pycachesim';

export interface CacheGeometry {
  readonly sets: number;
  readonly ways: number;
  readonly lineBytes: number;
  readonly lineShift: number;
  readonly index: AddressSpace;
  readonly tag: AddressSpace;
}

const LINE_BYTES_MIN = 4;
const LINE_BYTES_MAX = 4096; // a line lies in one page

const WAYS_MAX = 65536;

const natural = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
const powerOfTwo = (value: number): boolean => natural(value) && Math.log2(value) % 1 === 0;

/** The geometry of a cache, checked. `name` is for the refusal. */
export function cacheGeometry(name: string, spec: CacheSpec, vaBits: number, paBits: number): CacheGeometry {
  const { ways, lineBytes, index = 'pa', tag = 'pa' } = spec;
  const refuse = (what: string, fix: string, why?: string): never => {
    const report = { what: `${name}: ${what}`, fix };
    throw new ConfigError('CACHE_GEOMETRY', why === undefined ? report : { ...report, why });
  };
  if (!powerOfTwo(lineBytes) || lineBytes < LINE_BYTES_MIN || lineBytes > LINE_BYTES_MAX)
    refuse(`a line of ${lineBytes} bytes`, `a power of two from ${LINE_BYTES_MIN} to ${LINE_BYTES_MAX}`);
  if (!natural(ways) || ways > WAYS_MAX) refuse(`${ways} ways`, `a whole number from 1 to ${WAYS_MAX}`);
  const { sizeBytes } = spec;
  const sets = spec.sets ?? (sizeBytes ?? 0) / (ways * lineBytes);
  if (!powerOfTwo(sets))
    refuse(
      `${sets} sets`,
      'a size of ways x line x a power of two',
      'address bits choose the set, so their number is a power of two',
    );
  if (sizeBytes !== undefined && sizeBytes !== sets * ways * lineBytes)
    refuse(`${sizeBytes} bytes are not ${sets} sets x ${ways} ways x ${lineBytes}`, 'give one of the two');
  if (index === 'pa' && tag === 'va')
    refuse('physically indexed, virtually tagged', 'index: va', 'no such hardware is known to us');
  const lineShift = Math.log2(lineBytes);
  const bits = Math.max(paBits, tag === 'va' ? vaBits : 0) - lineShift;
  if (bits > 32)
    refuse(
      `line numbers of ${bits} bits`,
      'longer lines or narrower addresses',
      'the arenas keep line numbers in 32 bits',
    );
  const reason = spec.replacement.refuses?.(ways);
  if (reason !== undefined) refuse(reason, 'other ways, or another replacement policy');
  return { sets, ways, lineBytes, lineShift, index, tag };
}

/** Refuses what does not go together in the hierarchy as a whole. */
export function checkHierarchy(spec: CacheHierarchySpec): void {
  const { accounting = 'line', classify = false, writePolicy = 'write-back' } = spec;
  const refuse = (what: string, fix: string): never => {
    throw new ConfigError('CACHE_ACCOUNTING', { what, fix });
  };
  if (!natural(spec.cpus)) refuse(`${spec.cpus} CPUs`, 'cpus: 1 or more');
  if (classify && accounting !== 'line')
    refuse(`classify with accounting ${accounting}`, 'classes are those of Dinero IV: accounting: line');
  if (accounting !== 'line' && writePolicy !== 'write-back')
    refuse(`${writePolicy} with accounting ${accounting}`, 'writePolicy: write-back, or accounting: line');
}

/** Refuses L1 lines that would be filled from several lines of the L2. */
export function checkLineSizes(l1: CacheGeometry, l2: CacheGeometry | undefined): void {
  if (l2 === undefined || l1.lineBytes <= l2.lineBytes) return;
  throw new ConfigError('CACHE_GEOMETRY', {
    what: `L1 lines of ${l1.lineBytes} bytes over L2 lines of ${l2.lineBytes}`,
    why: 'a line would be filled from several lines; no such hardware is known to us',
    fix: 'give the L2 lines that are as long or longer',
  });
}
