import { assert, Digest } from '@tablewalk/base';
import { PIECES_PER_ACCESS_MAX, translatedBatch } from '@tablewalk/contracts';
import type {
  AccessBatch,
  AccessEffects,
  ArenaImage,
  CacheEngine,
  CacheOperation,
  DataLoop,
  DataPlane,
  Fact,
  KernelFactOf,
  TlbEngine,
  TlbScope,
  TranslationContext,
  Trap,
  VocabularyFactOf,
} from '@tablewalk/contracts';
import { inspectAccess } from './inspect-access.ts';
import type { PhysicalWords } from './physical-words.ts';

/** Counts changes of what the engines' digests cover: digests of different layouts cannot be compared. */
const ARENA_LAYOUT = 2;

/** Pieces per turn of the two stages: their columns stay in the host's L2 cache. */
const PIECES = 4096;

type Heard =
  | KernelFactOf<'WordStored' | 'WordsCopied' | 'WordsFilled'>
  | VocabularyFactOf<'TlbInvalidated' | 'CacheMaintained' | 'PteCleared' | 'PageFreed'>;

/**
 * The data plane of a machine: the TLB stage turns references into translated pieces until something
 * traps, the cache stage consumes them. What facts mean to the arenas is written in `apply`.
 */
export class BatchRunner implements DataPlane {
  readonly counterNames: readonly string[];
  private readonly pieces = translatedBatch(PIECES + PIECES_PER_ACCESS_MAX);
  private readonly taken: Float64Array[];
  private readonly loop: DataLoop | undefined;

  constructor(
    private readonly tlb: TlbEngine,
    private readonly cache: CacheEngine,
    private readonly words: PhysicalWords,
    private readonly cpus: number,
  ) {
    this.counterNames = [...tlb.counterNames, ...cache.counterNames];
    this.loop = tlb.fuse?.(cache);
    this.taken = Array.from({ length: cpus }, () => new Float64Array(this.counterNames.length));
  }

  get trap(): Trap {
    return this.tlb.trap;
  }

  run(cpu: number, context: TranslationContext, batch: AccessBatch, from: number, to: number): number {
    const { tlb, cache, pieces, loop } = this;
    if (loop !== undefined) return loop.run(cpu, context, batch, from, to);
    tlb.trap.kind = 0;
    let next = from;
    while (next < to && tlb.trap.kind === 0) {
      pieces.count = 0;
      next = tlb.translate(cpu, context, batch, next, to, pieces);
      cache.run(cpu, pieces);
    }
    return next;
  }

  takeCounters(cpu: number): readonly number[] {
    const taken = this.taken[cpu] as Float64Array;
    const pairs: number[] = [];
    const tlb = this.tlb.counters(cpu);
    takeGrowth(tlb, taken, 0, pairs);
    takeGrowth(this.cache.counters(cpu), taken, tlb.length, pairs);
    return pairs;
  }

  outcomeWord(cpu: number): number {
    return (Math.imul(this.tlb.outcomeWord(cpu), 31) ^ this.cache.outcomeWord(cpu)) >>> 0;
  }

  validEntries(cpu: number): Readonly<Record<string, number>> {
    return this.tlb.validEntries(cpu);
  }

  digest(): string {
    return `${ARENA_LAYOUT}.${new Digest().text(this.tlb.digest()).text(this.cache.digest()).hex()}`;
  }

  inspect(cpu: number, context: TranslationContext, batch: AccessBatch, access: number): AccessEffects {
    return inspectAccess(this.tlb, this.cache, cpu, context, batch, access);
  }

  /**
   * How many columns are the TLB engine's; its, the cache engine's; what was taken, by CPU. Words of memory are
   * not in it.
   */
  save(): ArenaImage | undefined {
    const tlb = this.tlb.load && this.tlb.save?.();
    const cache = this.cache.load && this.cache.save?.();
    if (tlb === undefined || cache === undefined) return undefined;
    return [Int32Array.of(tlb.length), ...tlb, ...cache, ...this.taken.map((taken) => taken.slice())];
  }

  load([head, ...columns]: ArenaImage): void {
    const last = columns.length - this.cpus;
    const split = head?.[0] ?? -1;
    assert(split >= 0 && split <= last, 'the image is of another machine');
    this.tlb.load?.(columns.slice(0, split));
    this.cache.load?.(columns.slice(split, last));
    this.taken.forEach((taken, cpu) => {
      taken.set(columns[last + cpu] ?? []);
    });
  }

  apply(fact: Fact): void {
    const heard = fact as Heard;
    switch (heard.type) {
      case 'WordStored':
        this.words.write32(heard.pa, heard.value);
        break;
      case 'WordsCopied':
        for (let i = 0; i < heard.words; i++)
          this.words.write32(heard.to + i * 4, this.words.read32(heard.from + i * 4));
        break;
      case 'WordsFilled':
        for (let i = 0; i < heard.words; i++)
          this.words.write32(heard.pa + i * 4, heard.value + i * heard.step);
        break;
      case 'TlbInvalidated':
        this.tlb.invalidate(heard.cpu, { ...heard, scope: heard.scope as TlbScope });
        break;
      case 'CacheMaintained': {
        const { cpu, whole, va, pa, bytes } = heard;
        const operation = heard.operation as CacheOperation;
        const side = heard.side as 'data' | 'instruction' | 'both';
        this.cache.maintain(cpu, whole ? { operation, side } : { operation, side, range: { va, pa, bytes } });
        break;
      }
      // From here on a TLB entry into this frame is stale: its first use is to be told.
      case 'PteCleared':
        for (let cpu = 0; cpu < this.cpus; cpu++) this.tlb.watchFrame(cpu, heard.pfn);
        break;
      case 'PageFreed':
        for (let cpu = 0; cpu < this.cpus; cpu++)
          for (let i = 0; i < 2 ** heard.order; i++) this.tlb.watchFrame(cpu, heard.pfn + i);
        break;
    }
  }
}

function takeGrowth(counters: Float64Array, taken: Float64Array, first: number, pairs: number[]): void {
  for (let i = 0; i < counters.length; i++) {
    const value = counters[i] as number;
    const growth = value - (taken[first + i] as number);
    if (growth !== 0) {
      pairs.push(first + i, growth);
      taken[first + i] = value;
    }
  }
}
