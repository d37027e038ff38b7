import { CodedError, Digest } from '@tablewalk/base';
import type { ArenaImage, CacheOrder, TranslatedBatch } from '@tablewalk/contracts';
import { Arena } from './arena.ts';
import { runCachegrind } from './cache-cachegrind.ts';
import { CacheLedger } from './cache-counters.ts';
import { runFast } from './cache-fast.ts';
import { CacheLevel } from './cache-level.ts';
import { runByLines } from './cache-lines.ts';
import type { CachePort } from './cache-lines.ts';
import type { LoopCaches } from './loop/fused-loop.ts';
import { maintainLevel } from './cache-maintenance.ts';
import { runPycachesim } from './cache-pycachesim.ts';
import { cacheGeometry, checkHierarchy, checkLineSizes } from './cache-spec.ts';
import type { CacheHierarchySpec, CacheSpec } from './cache-spec.ts';

/** A cache engine whose state can be copied, for a checkpoint, and put back. */
export interface CacheHierarchy extends LoopCaches {
  /** Undefined where classes of misses are counted: they are kept outside of the arena. */
  save(): ArenaImage | undefined;
  load(image: ArenaImage): void;
}

type Run = (port: CachePort, batch: TranslatedBatch) => void;

/**
 * The exact facet of the cache plugins: L1s of each CPU and an optional unified L2 (PIPT, write-back),
 * neither inclusive nor exclusive. Whose rules count (golden/traces, `meaning`):
 *
 * - `line`: a piece that crosses lines is cut, each part is an access; a modify is a read, then a write;
 *   a miss replaces, reads from below, then writes the dirty victim down. Dinero IV agrees.
 * - `drcachesim`: as `line`, but nothing is ever written back and a full-line write reads as well.
 * - `cachegrind`, `pycachesim`: see the files of these names.
 *
 * The limit: the caches of different CPUs are not kept coherent, so what a snoop would move or
 * invalidate stays. Counts are those of CPUs that do not write what others hold.
 */
export function cacheHierarchy(spec: CacheHierarchySpec): CacheHierarchy {
  checkHierarchy(spec);
  const { vaBits = 32, paBits = 32, classify = false, accounting = 'line' } = spec;
  const arena = new Arena();
  const ledger = new CacheLedger();
  const ports = buildPorts(spec, arena, ledger);
  const run = classify ? runByLines : RUNS[accounting];
  const vaIsKey = ports.some((port) => port.instruction.isVirtuallyTagged || port.data.isVirtuallyTagged);
  return {
    ports: run === runFast ? ports : undefined,
    vaBits,
    paBits,
    run(cpu, batch) {
      checkWidth(batch.paHi, batch.count, paBits);
      if (vaIsKey) checkWidth(batch.vaHi, batch.count, vaBits);
      // A few pieces are not worth the preparations of the fast loop.
      (run === runFast && batch.count <= FEW ? runByLines : run)(ports[cpu] as CachePort, batch);
    },
    maintain: (cpu, order) => maintain(ports[cpu] as CachePort, order),
    counters: (cpu) => ledger.counters[cpu] as Float64Array,
    counterNames: ledger.names,
    outcomeWord: (cpu) => (ledger.outcomes[cpu] as number) >>> 0,
    digest() {
      const digest = new Digest();
      arena.digestInto(digest);
      return digest.hex();
    },
    save: () => (classify ? undefined : arena.save()),
    load: (image) => {
      arena.load(image);
      for (const { instruction, data } of ports)
        for (const level of [instruction, data, data.below]) level?.reindex();
    },
  };
}

const FEW = 16;

const RUNS: Readonly<Record<NonNullable<CacheHierarchySpec['accounting']>, Run>> = {
  line: runFast,
  drcachesim: runFast,
  cachegrind: runCachegrind,
  pycachesim: runPycachesim,
};

function buildPorts(spec: CacheHierarchySpec, arena: Arena, ledger: CacheLedger): CachePort[] {
  const { cpus, l1, l2, seed, classify = false, accounting = 'line' } = spec;
  const { vaBits = 32, paBits = 32, writePolicy = 'write-back' } = spec;
  const options = { classify, pycachesim: accounting === 'pycachesim' };
  type Kinds = readonly [first: number, last: number];
  const level = (name: string, cache: CacheSpec, kinds: Kinds, writeThrough: boolean) => {
    const geometry = cacheGeometry(name, cache, vaBits, paBits);
    const at = ledger.level(name, kinds, options);
    const rules = {
      writeThrough,
      marksDirty: accounting === 'line' || accounting === 'pycachesim',
      wholeLineSkipsRead: accounting === 'line',
      classify,
    };
    return (below?: CacheLevel): CacheLevel => {
      checkLineSizes(geometry, below?.geometry);
      return new CacheLevel(arena, geometry, cache.replacement, seed, rules, ledger, at, below);
    };
  };
  const through = writePolicy === 'write-through';
  const makeInstruction = 'unified' in l1 ? undefined : level('icache', l1.instruction, [0, 0], through);
  const makeData =
    'unified' in l1 ? level('cache', l1.unified, [0, 3], through) : level('dcache', l1.data, [1, 3], through);
  const makeOuter = l2 && level('l2cache', { ...l2, index: 'pa', tag: 'pa' }, [0, 3], false);
  const sharedOuter = l2?.shared === true ? makeOuter?.() : undefined;
  ledger.counters = Array.from({ length: cpus }, () => arena.float64(ledger.names.length));
  ledger.outcomes = arena.int32(cpus);
  return ledger.counters.map((counters, cpu) => {
    const outer = sharedOuter ?? makeOuter?.();
    const data = makeData(outer);
    const instruction = makeInstruction?.(outer) ?? data;
    const { memoryWalkReads } = ledger;
    return { cpu, instruction, data, walks: walksIn(spec, data, outer), counters, memoryWalkReads };
  });
}

/** The peers whose rules these are know of no walker: its reads stay out of their caches. */
function walksIn(spec: CacheHierarchySpec, data: CacheLevel, outer?: CacheLevel): CacheLevel | undefined {
  const { walks = 'l1d', accounting = 'line' } = spec;
  if (accounting === 'cachegrind' || accounting === 'pycachesim' || walks === 'memory') return undefined;
  return walks === 'l1d' ? data : outer;
}

/** Maintenance reaches the CPU's own L1s; what it cleans goes to the next level. */
function maintain(port: CachePort, order: CacheOrder): readonly [cleaned: number, invalidated: number] {
  const levels = new Set<CacheLevel>();
  if (order.side !== 'instruction') levels.add(port.data);
  if (order.side !== 'data') levels.add(port.instruction);
  let cleaned = 0;
  let invalidated = 0;
  for (const level of levels) {
    const [clean, invalid] = maintainLevel(level, port.cpu, port.counters, order);
    cleaned += clean;
    invalidated += invalid;
  }
  return [cleaned, invalidated];
}

/** A line number of more than 32 bits would be taken for another line. */
function checkWidth(highHalves: Uint16Array, count: number, bits: number): void {
  let any = 0;
  for (let i = 0; i < count; i++) any |= highHalves[i] as number;
  if (any < 2 ** (bits - 32)) return;
  throw new CodedError('CACHE_ADDRESS_TOO_HIGH', {
    what: `an address of more than the ${bits} bits that the cache was built for`,
    why: 'it would be taken for another line',
    fix: 'raise addressBits, or move the addresses (--rebase)',
  });
}
