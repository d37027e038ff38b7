/** The shape of golden/traces, expected/NAME.json, as far as it is compared. */
export interface CacheGeometry {
  readonly sizeBytes: number;
  readonly ways: number;
  readonly lineBytes: number;
}
export interface CacheCounts {
  readonly accI: number;
  readonly accR: number;
  readonly accW: number;
  readonly missI: number;
  readonly missR: number;
  readonly missW: number;
  readonly writebacks: number;
  readonly compulsory?: number;
  readonly capacity?: number;
  readonly conflict?: number;
}
export type LevelName = 'L1I' | 'L1D' | 'L1U' | 'L2';
export type Levels<T> = Readonly<Partial<Record<LevelName, T | null>>>;
export type LineResult = Levels<CacheCounts> & { readonly memReads: number; readonly memWrites: number };
export interface PycachesimCounts {
  readonly LOAD: number;
  readonly STORE: number;
  readonly HIT: number;
  readonly MISS: number;
  readonly EVICT: number;
}
export interface CacheEntry {
  readonly geometry: { readonly id: string } & Levels<CacheGeometry>;
  readonly policy: string;
  readonly convention: string;
  readonly tool?: string;
  readonly statistical?: string;
  readonly result: LineResult;
  readonly drcachesim?: Levels<{ readonly hits: number; readonly misses: number }>;
  readonly pycachesim?: Levels<PycachesimCounts>;
  readonly allLoads?: { readonly result: LineResult; readonly pycachesim: Levels<PycachesimCounts> };
}
export interface CachegrindEntry {
  readonly id: string;
  readonly I1: string;
  readonly D1: string;
  readonly LL: string;
  readonly fromTrace: Readonly<Record<string, number | string>>;
}
export interface TlbCounts {
  readonly lookups: Readonly<Record<'I' | 'L' | 'S' | 'M', number>>;
  readonly misses: Readonly<Record<'I' | 'L' | 'S' | 'M', number>>;
  readonly totalLookups: number;
  readonly totalMisses: number;
  readonly evictions: number;
  readonly flushed: number;
  readonly valid: number;
}
export interface TlbEntry {
  readonly spec: string;
  readonly l2: string;
  readonly options: readonly string[];
  readonly result: { readonly switches: number; readonly walks: number } & Readonly<
    Partial<Record<'U' | 'I' | 'D' | 'L2', TlbCounts>>
  >;
}
export interface Expected {
  readonly trace: { readonly file: string; readonly refs: number };
  readonly caches: readonly CacheEntry[];
  readonly cachegrind: readonly CachegrindEntry[];
  readonly tlb: readonly TlbEntry[];
}
