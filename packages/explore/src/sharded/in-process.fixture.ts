import { present, prngBelow, prngSeed } from '@tablewalk/base';
import { concluded, Shard, shardedSearch, spaceOf } from '../index.ts';
import type { Answer, Batch, Explorable, Exploration, ExploreOptions, Order, Report } from '../index.ts';

/** How a search by shards is taken apart: small shares of work, delivered in an order that a seed draws. */
export interface Play {
  readonly shards: number;
  readonly batchWords: number;
  readonly seed: number;
  readonly onOrder?: (order: Order) => void;
}

/** Explores with shards in one thread, each with a story staged for itself. What they say is cloned, as threads do. */
export function exploreInShards(stage: () => Explorable, options: ExploreOptions, play: Play): Exploration {
  const shards = Array.from(
    { length: play.shards },
    (_, index) => new Shard(spaceOf(stage(), options), index, play.shards, options, play.batchWords),
  );
  const crew = new Crew(shards, play.seed);
  const story = stage();
  const space = spaceOf(story, options);
  const search = shardedSearch(space, options);
  let step = search.next();
  while (step.done !== true) {
    play.onOrder?.(step.value);
    step = search.next(crew.carryOut(step.value));
  }
  return concluded(story, space, options, step.value);
}

interface Channel {
  readonly from: number;
  readonly to: number;
  readonly under: (Batch | Answer)[];
}

class Crew {
  private readonly channels: readonly Channel[];
  private readonly draws;

  constructor(
    private readonly shards: readonly Shard[],
    seed: number,
  ) {
    this.draws = prngSeed(seed);
    this.channels = shards.flatMap((_, from) => shards.map((__, to) => ({ from, to, under: [] })));
  }

  carryOut(order: Order): readonly Report[] {
    const reports = new Map<number, Report>();
    /** Orders arrive at different times, too. */
    const waiting = new Set(this.shards.keys());
    while (reports.size < this.shards.length) {
      const index = prngBelow(this.draws, this.shards.length);
      const shard = present(this.shards[index], 'shard');
      if (waiting.delete(index)) shard.obey(structuredClone(order));
      this.deliverOne();
      if (waiting.has(index)) continue;
      shard.work(3);
      this.collect(index, shard);
      const report = shard.takeReport();
      if (report !== undefined) reports.set(index, structuredClone(report));
    }
    return this.shards.map((_, index) => present(reports.get(index), 'report'));
  }

  /** The next message of one of the channels in which there are any. */
  private deliverOne(): void {
    const full = this.channels.filter(({ under }) => under.length > 0);
    const channel = full[prngBelow(this.draws, Math.max(1, full.length))];
    const message = channel?.under.shift();
    if (channel === undefined || message === undefined) return;
    const shard = present(this.shards[channel.to], 'shard');
    shard.receive(channel.from, message);
    this.collect(channel.to, shard);
  }

  private collect(from: number, shard: Shard): void {
    for (const { to, message } of shard.takeParcels())
      this.channels
        .find((channel) => channel.from === from && channel.to === to)
        ?.under.push(structuredClone(message));
  }
}
