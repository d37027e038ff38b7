import { assert } from '@tablewalk/base';
import { cacheLinesKey, storeLine } from '@tablewalk/contracts';
import type {
  AccessLine,
  Action,
  CacheLine,
  CacheLinesState,
  CacheModel,
  CacheModelParts,
  Command,
  Component,
  CpuPage,
  View,
  VocabularyFactOf,
} from '@tablewalk/contracts';
import { maintained } from './cache-orders.ts';
import type { MaintainCache } from './cache-orders.ts';
import type { AddressSpace } from './cache-spec.ts';

/**
 * The architectural facet of the cache plugins (ARM ARM DDI 0406C B2.2; spec/caches-and-dma.md, 1 and 2): any
 * cacheable line may be in a cache or not, and a dirty one may be written back at any time. So the model holds
 * which lines are dirty, and which clean ones a load or a prefetch has brought; whatever else is clean is as good
 * as absent. Sets and ways do not exist in it: an exact cache writes back some lines earlier, which is an
 * eviction here. That a clean line goes of its own accord is no event: what is fetched again is never older.
 *
 * 1. At most one line has a tag on a CPU; at most one dirty line on all of them if the tag is physical:
 *    hardware keeps physically tagged caches coherent. A store takes the line over, a load copies it.
 * 2. A line is written back to the physical address that it had when it came. A virtually tagged cache finds
 *    it by virtual address alone, whatever page is mapped there now (ARM926EJ-S TRM DDI 0198E 4.1: the PA TAG
 *    RAM is for write-backs).
 * 3. A device writes to memory alone: every line of it that is in a cache is stale from then on. A stale line that is
 *    written back overwrites what the device wrote.
 * 4. The state is canonical: lines in order of their tags, no times, no counts.
 *
 * The limits: the colours of an aliasing VIPT cache are one line; a line is stale through devices alone, not through
 * another virtual address of its page; a store that would hit a clean line of the page that was mapped at its
 * address before, which no load brought, makes a new line dirty; and a dirty line that is written back leaves the
 * cache. That it stays, clean, is the same as that it is prefetched at once, where a story allows that.
 */
export function cacheModel(
  tag: AddressSpace,
  writePolicy: 'write-back' | 'write-through',
  { cpus, linesPerPage, evictions, prefetches = [] }: CacheModelParts,
): CacheModel {
  assert(LINES_PER_PAGE.includes(linesPerPage), `${linesPerPage} lines a page: a power of two, at most 64`);
  // No core with a virtually tagged cache fetches what nobody asked for (spec/caches-and-dma.md, 4.1).
  assert(tag === 'pa' || prefetches.length === 0, 'a virtually tagged cache does not prefetch');
  const lineBytes = PAGE_BYTES / linesPerPage;
  const lines = new ModelLines(tag, lineBytes, cpus);
  return {
    component: {
      evolvesOn: [
        'CacheLineDirtied',
        'CacheLineFilled',
        'CacheLineWrittenBack',
        'CacheLineDropped',
        'DeviceWrote',
      ],
      initial: () => Array.from({ length: cpus }, () => []),
      decide(command, state) {
        if (command.type === 'MaintainCache') return [maintained(command), ...lines.maintain(command, state)];
        if (command.type === 'WriteBackLine') return lines.writeBack(command, state);
        if (command.type === 'LoadLine') return lines.loaded(command, state);
        if (command.type === 'PrefetchLine') return lines.fetched(command, state);
        return writePolicy === 'write-through' ? [] : [lines.dirtied(command, state)];
      },
      evolve(draft, fact) {
        if (fact.type === 'CacheLineDirtied') lines.dirty(draft, fact);
        else if (fact.type === 'CacheLineFilled') lines.fill(draft, fact);
        else if (fact.type === 'DeviceWrote') lines.outdate(draft, fact);
        else if (fact.type === 'CacheLineWrittenBack' || fact.type === 'CacheLineDropped')
          lines.remove(draft, fact.cpu, fact);
      },
      actions: [
        ...evictions.flatMap((page) => evictionsOf(page, tag, lineBytes)),
        // A story may give a freedom to a CPU that one of its variants does not have.
        ...prefetches.filter(({ cpu }) => cpu < cpus).flatMap((page) => prefetchesOf(page, lineBytes)),
      ],
    } satisfies Component<CacheLinesState, ModelCommand, ModelFact>,
    store: storeLine,
  };
}

const PAGE_BYTES = 4096;
const LINES_PER_PAGE: readonly number[] = [1, 2, 4, 8, 16, 32, 64];

interface WriteBackLine extends Command {
  readonly type: 'WriteBackLine';
  readonly cpu: number;
  readonly at: number;
}
type ModelCommand =
  MaintainCache | WriteBackLine | (AccessLine & { readonly type: 'StoreLine' | 'LoadLine' | 'PrefetchLine' });
type LineFact = VocabularyFactOf<
  | 'CacheLineDirtied'
  | 'CacheLineFilled'
  | 'CacheLineWrittenBack'
  | 'CacheLineDropped'
  | 'StaleLineRead'
  | 'StaleLineWrittenBack'
>;
type ModelFact = LineFact | VocabularyFactOf<'CacheMaintained' | 'DeviceWrote'>;
type Addresses = Pick<MaintainCache, 'va' | 'pa'>;

/** The lines of every CPU, found by the address that the cache is tagged with. */
class ModelLines {
  constructor(
    private readonly tag: AddressSpace,
    private readonly lineBytes: number,
    private readonly cpus: number,
  ) {}

  /** A store that hits a line leaves it the physical address that it has. */
  dirtied({ cpu, va, pa }: AccessLine, state: CacheLinesState): LineFact {
    const line = { va: this.firstByte(va), pa: this.firstByte(pa) };
    const hit = this.at(state, cpu, line[this.tag]);
    return { type: 'CacheLineDirtied', cpu, va: line.va, pa: hit?.pa ?? line.pa };
  }

  fetched({ cpu, va, pa }: AccessLine, state: CacheLinesState): readonly LineFact[] {
    const line = { va: this.firstByte(va), pa: this.firstByte(pa) };
    if (this.at(state, cpu, line[this.tag]) !== undefined) return [];
    return [{ type: 'CacheLineFilled', cpu, ...line }];
  }

  loaded(load: AccessLine, state: CacheLinesState): readonly LineFact[] {
    const filled = this.fetched(load, state);
    const line = { va: this.firstByte(load.va), pa: this.firstByte(load.pa) };
    const read = this.at(state, load.cpu, line[this.tag]) ?? this.elsewhere(state, load.cpu, line);
    if (read?.stale !== true) return filled;
    return [...filled, { type: 'StaleLineRead', cpu: load.cpu, va: line.va, pa: read.pa }];
  }

  writeBack({ cpu, at }: WriteBackLine, state: CacheLinesState): readonly LineFact[] {
    const line = this.at(state, cpu, at);
    return line?.dirty === true ? this.writtenBack(cpu, line) : [];
  }

  /**
   * What maintenance does to lines. By address it reaches every CPU of a coherent machine (ARMv7: in the
   * inner shareable domain); of a whole cache, which goes by set and way, the CPU's own alone.
   */
  maintain(order: MaintainCache, state: CacheLinesState): readonly LineFact[] {
    if (order.side === 'instruction') return [];
    const everywhere = this.tag === 'pa' && !order.whole;
    const reached = everywhere ? Array.from({ length: this.cpus }, (_, cpu) => cpu) : [order.cpu];
    return reached.flatMap((cpu) =>
      (state[cpu] ?? [])
        .filter((line) => this.inRange(line, order))
        .flatMap((line) => this.maintainLine(cpu, line, order)),
    );
  }

  dirty(draft: CacheLinesState, fact: LineFact): void {
    const line = this.fill(draft, fact);
    if (line === undefined) return;
    line.dirty = true;
    if (this.tag === 'pa') draft.forEach((_, other) => other !== fact.cpu && this.remove(draft, other, fact));
  }

  /** What another CPU's cache has is copied from there, and as old as it is there. */
  fill(draft: CacheLinesState, { cpu, va, pa }: LineFact): CacheLine | undefined {
    const line = { va: this.tag === 'va' ? va : 0, pa };
    const [own, hit] = [draft[cpu], this.at(draft, cpu, line[this.tag])];
    if (own === undefined || hit !== undefined) return hit;
    const stale = this.elsewhere(draft, cpu, line)?.stale === true;
    const after = own.findIndex((other) => other[this.tag] > line[this.tag]);
    const place = after < 0 ? own.length : after;
    own.splice(place, 0, { ...line, dirty: false, stale });
    return own[place];
  }

  outdate(draft: CacheLinesState, { pa, bytes }: VocabularyFactOf<'DeviceWrote'>): void {
    for (const lines of draft)
      for (const line of lines) if (line.pa - pa > -this.lineBytes && line.pa - pa < bytes) line.stale = true;
  }

  remove(draft: CacheLinesState, cpu: number, gone: Addresses): void {
    const own = draft[cpu];
    const place = own?.findIndex((line) => line[this.tag] === gone[this.tag]) ?? -1;
    if (place >= 0) own?.splice(place, 1);
  }

  private at(state: CacheLinesState, cpu: number, address: number): CacheLine | undefined {
    return state[cpu]?.find((line) => line[this.tag] === address);
  }

  /** The line in the cache of another CPU, where hardware looks there. */
  private elsewhere(state: CacheLinesState, cpu: number, { pa }: Addresses): CacheLine | undefined {
    if (this.tag === 'va') return undefined;
    return state
      .filter((_, other) => other !== cpu)
      .flatMap((lines) => lines.find((line) => line.pa === pa) ?? [])[0];
  }

  private inRange(line: CacheLine, { whole, bytes, ...range }: MaintainCache): boolean {
    const offset = line[this.tag] - range[this.tag];
    return whole || (bytes > 0 && offset > -this.lineBytes && offset < bytes);
  }

  /** An order by virtual address may hit a line of another page than the one that it was given for. */
  private maintainLine(cpu: number, line: CacheLine, order: MaintainCache): readonly LineFact[] {
    const { operation, whole } = order;
    if (operation !== 'invalidate' && line.dirty) return this.writtenBack(cpu, line);
    if (operation === 'clean') return [];
    const { va, pa, dirty } = line;
    const meant = whole || this.tag === 'pa' ? pa : this.firstByte(order.pa + Math.max(0, va - order.va));
    return [{ type: 'CacheLineDropped', cpu, va, pa, dirty, meant }];
  }

  private writtenBack(cpu: number, { va, pa, stale }: CacheLine): readonly LineFact[] {
    const gone: LineFact = { type: 'CacheLineWrittenBack', cpu, va, pa };
    return stale ? [gone, { type: 'StaleLineWrittenBack', cpu, va, pa }] : [gone];
  }

  private firstByte(address: number): number {
    return address - (address % this.lineBytes);
  }
}

/** One action a line of the page: the cache needs the room, or is idle. */
function evictionsOf({ cpu, va }: CpuPage, tag: AddressSpace, lineBytes: number): Action[] {
  return Array.from({ length: PAGE_BYTES / lineBytes }, (_, i) => {
    const at = va + i * lineBytes;
    return {
      idle: true,
      actor: `cache of CPU ${cpu}`,
      label: `writes back the line at ${tag} 0x${at.toString(16)}`,
      command: { to: 'cache', type: 'WriteBackLine', cpu, at } satisfies WriteBackLine,
      when: (view: View) => view(cacheLinesKey)[cpu]?.some((line) => line.dirty && line[tag] === at) === true,
    };
  });
}

/** One action a line of the page: the core speculates, by its physical address. */
function prefetchesOf({ cpu, va: page }: CpuPage, lineBytes: number): Action[] {
  return Array.from({ length: PAGE_BYTES / lineBytes }, (_, i) => {
    const pa = page + i * lineBytes;
    return {
      idle: true,
      actor: `cache of CPU ${cpu}`,
      label: `prefetches the line at pa 0x${pa.toString(16)}`,
      command: { to: 'cache', type: 'PrefetchLine', cpu, va: 0, pa } satisfies AccessLine,
      when: (view: View) => view(cacheLinesKey)[cpu]?.some((line) => line.pa === pa) !== true,
    };
  });
}
