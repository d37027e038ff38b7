import { assert } from '@tablewalk/base';
import { dirtyLinesKey, storeLine } from '@tablewalk/contracts';
import type {
  Action,
  CacheModel,
  CacheModelParts,
  Command,
  Component,
  CpuPage,
  DirtyLine,
  DirtyLinesState,
  StoreLine,
  View,
  VocabularyFactOf,
} from '@tablewalk/contracts';
import { maintained } from './cache-orders.ts';
import type { MaintainCache } from './cache-orders.ts';
import type { AddressSpace } from './cache-spec.ts';

/**
 * The architectural facet of the cache plugins (ARM ARM DDI 0406C B2.2; spec/caches-and-dma.md, 1 and 2): any
 * cacheable line may be in a cache or not, and a dirty one may be written back at any time. So the model holds
 * which lines are dirty, and whatever is clean is as good as absent. Sets and ways do not exist in it: an
 * exact cache writes back some lines earlier, which is an eviction here.
 *
 * 1. At most one dirty line has a tag, on one CPU if the tag is virtual, on all of them if it is physical:
 *    hardware keeps physically tagged caches coherent, and a store takes the line over.
 * 2. A line is written back to the physical address that it had when it became dirty. A virtually tagged
 *    cache finds it by virtual address alone, whatever page is mapped there now (ARM926EJ-S TRM DDI 0198E
 *    4.1: the PA TAG RAM is for write-backs).
 * 3. The state is canonical: lines in order of their tags, no times, no counts.
 *
 * The limits: what a load sees is not modelled; the colours of an aliasing VIPT cache are one line; and a store
 * that would hit a clean line of the page that was mapped at its address before makes a new line dirty.
 */
export function cacheModel(
  tag: AddressSpace,
  writePolicy: 'write-back' | 'write-through',
  { cpus, linesPerPage, evictions }: CacheModelParts,
): CacheModel {
  assert(LINES_PER_PAGE.includes(linesPerPage), `${linesPerPage} lines a page: a power of two, at most 64`);
  const lineBytes = PAGE_BYTES / linesPerPage;
  const lines = new ModelLines(tag, lineBytes, cpus);
  return {
    component: {
      evolvesOn: ['CacheLineDirtied', 'CacheLineWrittenBack', 'CacheLineDropped'],
      initial: () => Array.from({ length: cpus }, () => []),
      decide(command, state) {
        if (command.type === 'MaintainCache') return [maintained(command), ...lines.maintain(command, state)];
        if (command.type === 'WriteBackLine') return lines.writeBack(command, state);
        return writePolicy === 'write-through' ? [] : [lines.dirtied(command, state)];
      },
      evolve(draft, fact) {
        if (fact.type === 'CacheLineDirtied') lines.insert(draft, fact);
        else if (fact.type !== 'CacheMaintained') lines.remove(draft, fact.cpu, fact);
      },
      actions: evictions.flatMap((page) => evictionsOf(page, tag, lineBytes)),
    } satisfies Component<DirtyLinesState, ModelCommand, ModelFact>,
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
type ModelCommand = MaintainCache | WriteBackLine | (StoreLine & { readonly type: 'StoreLine' });
type LineFact = VocabularyFactOf<'CacheLineDirtied' | 'CacheLineWrittenBack' | 'CacheLineDropped'>;
type ModelFact = LineFact | VocabularyFactOf<'CacheMaintained'>;
type Addresses = Pick<MaintainCache, 'va' | 'pa'>;

/** The dirty lines of every CPU, found by the address that the cache is tagged with. */
class ModelLines {
  constructor(
    private readonly tag: AddressSpace,
    private readonly lineBytes: number,
    private readonly cpus: number,
  ) {}

  /** A store that hits a dirty line leaves it the physical address that it has. */
  dirtied({ cpu, va, pa }: StoreLine, state: DirtyLinesState): LineFact {
    const line = { va: this.firstByte(va), pa: this.firstByte(pa) };
    const hit = this.at(state, cpu, line[this.tag]);
    return { type: 'CacheLineDirtied', cpu, va: line.va, pa: hit?.pa ?? line.pa };
  }

  writeBack({ cpu, at }: WriteBackLine, state: DirtyLinesState): readonly LineFact[] {
    const line = this.at(state, cpu, at);
    return line === undefined ? [] : [{ type: 'CacheLineWrittenBack', cpu, ...line }];
  }

  /**
   * What maintenance does to dirty lines. By address it reaches every CPU of a coherent machine (ARMv7: in the
   * inner shareable domain); of a whole cache, which goes by set and way, the CPU's own alone.
   */
  maintain(order: MaintainCache, state: DirtyLinesState): readonly LineFact[] {
    if (order.side === 'instruction') return [];
    const everywhere = this.tag === 'pa' && !order.whole;
    const reached = everywhere ? Array.from({ length: this.cpus }, (_, cpu) => cpu) : [order.cpu];
    return reached.flatMap((cpu) =>
      (state[cpu] ?? [])
        .filter((line) => this.inRange(line, order))
        .map((line) => this.leave(cpu, line, order)),
    );
  }

  insert(draft: DirtyLinesState, { cpu, va, pa }: LineFact): void {
    const line = { va: this.tag === 'va' ? va : 0, pa };
    if (this.tag === 'pa') draft.forEach((_, other) => other !== cpu && this.remove(draft, other, line));
    const own = draft[cpu];
    if (own === undefined || this.at(draft, cpu, line[this.tag]) !== undefined) return;
    const after = own.findIndex((other) => other[this.tag] > line[this.tag]);
    own.splice(after < 0 ? own.length : after, 0, line);
  }

  remove(draft: DirtyLinesState, cpu: number, gone: Addresses): void {
    const own = draft[cpu];
    const place = own?.findIndex((line) => line[this.tag] === gone[this.tag]) ?? -1;
    if (place >= 0) own?.splice(place, 1);
  }

  private at(state: DirtyLinesState, cpu: number, address: number): DirtyLine | undefined {
    return state[cpu]?.find((line) => line[this.tag] === address);
  }

  private inRange(line: DirtyLine, { whole, bytes, ...range }: MaintainCache): boolean {
    const offset = line[this.tag] - range[this.tag];
    return whole || (bytes > 0 && offset > -this.lineBytes && offset < bytes);
  }

  /** An order by virtual address may hit a line of another page than the one that it was given for. */
  private leave(cpu: number, line: DirtyLine, { operation, whole, va, pa }: MaintainCache): LineFact {
    if (operation !== 'invalidate') return { type: 'CacheLineWrittenBack', cpu, ...line };
    const meant = whole || this.tag === 'pa' ? line.pa : this.firstByte(pa + Math.max(0, line.va - va));
    return { type: 'CacheLineDropped', cpu, ...line, dirty: true, meant };
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
      actor: `cache of CPU ${cpu}`,
      label: `writes back the line at ${tag} 0x${at.toString(16)}`,
      command: { to: 'cache', type: 'WriteBackLine', cpu, at } satisfies WriteBackLine,
      when: (view: View) => view(dirtyLinesKey)[cpu]?.some((line) => line[tag] === at) === true,
    };
  });
}
