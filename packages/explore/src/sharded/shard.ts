import { unreachable } from '@tablewalk/base';
import type { Footprints } from '../footprints.ts';
import type { ExploreOptions } from '../result.ts';
import type { StateSpace } from '../state-space.ts';
import { canonicalOf, footprintsOf, limitsOf } from '../strategies/exhaustive.ts';
import type { Canonical } from '../symmetry.ts';
import { Correspondence } from './correspondence.ts';
import type { Answer, Batch, Order, Parcel, Report } from './messages.ts';
import { ShardSearch } from './shard-search.ts';

/** Enough that a message costs little beside what it carries. */
const BATCH_WORDS = 32768;

/**
 * A share of a story's states, with a space of its own. It is driven from outside, which brings it orders and what
 * other shards sent, lets it work, and takes away what it has to say: it knows nothing of threads.
 */
export class Shard {
  private readonly footprints: Footprints;
  private readonly canonical: Canonical | undefined;
  private readonly correspondences: readonly Correspondence[];
  private search: ShardSearch | undefined;
  private due: Report['kind'] | undefined;

  constructor(
    private readonly space: StateSpace,
    private readonly index: number,
    shards: number,
    private readonly options: ExploreOptions,
    private readonly batchWords = BATCH_WORDS,
  ) {
    this.footprints = footprintsOf(space, options);
    this.canonical = canonicalOf(space, options);
    this.correspondences = Array.from({ length: shards }, () => new Correspondence(space));
  }

  obey(order: Order): void {
    switch (order.kind) {
      case 'begin':
        this.search = this.searchWith(order);
        this.due = 'begun';
        return;
      case 'expand':
        this.current.begin(order.depth);
        this.due = 'expanded';
        return;
      case 'conclude':
        this.due = 'concluded';
    }
  }

  receive(from: number, message: Batch | Answer): void {
    if (message.kind === 'batch') this.current.accept(from, message);
    else this.current.answered(from, message);
  }

  /** Expands up to so many states. True: there is more to do, and nothing to wait for. */
  work(states: number): boolean {
    this.search?.work(states);
    return this.search?.isReady === true;
  }

  /** What is to be delivered to other shards, in this order. */
  takeParcels(): readonly Parcel[] {
    return this.search?.parcels.splice(0) ?? [];
  }

  /** The report of the last order, once, when it is carried out. */
  takeReport(): Report | undefined {
    const { due } = this;
    if (due === undefined || (due === 'expanded' && !this.current.isDone)) return undefined;
    this.due = undefined;
    if (due === 'begun') return { kind: due };
    if (due === 'concluded')
      return { kind: due, ...this.current.conclude(), learnt: this.footprints.snapshot() };
    const { added, violated } = this.current;
    return { kind: due, added, ...(violated === undefined ? {} : { violated }) };
  }

  get counts(): ShardSearch['counts'] {
    return this.current.counts;
  }

  private get current(): ShardSearch {
    return this.search ?? unreachable('a shard was told to search before it was told to begin');
  }

  private searchWith({ footprints }: Extract<Order, { kind: 'begin' }>): ShardSearch {
    const { space, index, correspondences, canonical, options, batchWords } = this;
    return new ShardSearch({
      space,
      maxDepth: limitsOf(options).maxDepth,
      index,
      correspondences,
      batchWords,
      ...(footprints === undefined ? {} : { footprints }),
      ...(canonical === undefined ? {} : { canonical }),
    });
  }
}
