import { Expander } from '../expander.ts';
import type { Row } from '../cells.ts';
import type { ExpanderParts } from '../expander.ts';
import type { Possible } from '../state-space.ts';
import type { Correspondence } from './correspondence.ts';
import type { Answer, Batch, Conclusion, Parcel } from './messages.ts';
import { Inbox } from './inbox.ts';
import { Outbox } from './outbox.ts';
import type { Asker } from './outbox.ts';

/** Beyond so many batches that nobody has answered, a shard expands no further state. */
const UNANSWERED_MAX = 16;

/** Which shard keeps a state. By the upper bits of its hash: `Visited` looks states up by the lower. */
export const ownerOf = (hash: number, shards: number): number =>
  Math.floor(((hash >>> 0) * shards) / 2 ** 32);

export interface ShardSearchParts extends ExpanderParts {
  readonly index: number;
  /** With every shard; the one with itself stays silent. */
  readonly correspondences: readonly Correspondence[];
  readonly batchWords: number;
}

/**
 * One shard's share of a search: it keeps the states that are its own, expands them, and sends what they lead to
 * to the owners. Invariants:
 * 1. A level is expanded by all shards before any begins the next, so that a state's distance, and whether a
 *    successor is farther, are the same as in one search, whatever comes first.
 * 2. Whoever sent a state counts it when the owner answers that it was new.
 */
export class ShardSearch extends Expander {
  readonly parcels: Parcel[] = [];
  /** States of the next level that came from here. */
  added = 0;
  /** Steps to the nearest violation that was seen from here. */
  violated: number | undefined;
  private readonly index: number;
  private readonly shards: number;
  private readonly outboxes: readonly Outbox[];
  private readonly inboxes: readonly Inbox[];
  private unanswered = 0;
  /** States whose reduced set led no farther, and whose other steps have yet to be taken. */
  private readonly unfinished: number[] = [];

  constructor(parts: ShardSearchParts) {
    super(parts);
    const { index, correspondences, batchWords } = parts;
    const { space, initial, visited } = this;
    this.index = index;
    this.shards = correspondences.length;
    this.outboxes = correspondences.map((each) => new Outbox(each, initial.length, batchWords));
    this.inboxes = correspondences.map((each) => new Inbox(each, initial.length));
    this.depth = -1;
    const hash = space.layout.hash.row(initial);
    if (ownerOf(hash, this.shards) !== index) return;
    visited.add(initial, hash, -1, 0);
    const rule = space.brokenRule(initial);
    if (rule !== undefined) this.violates(rule, 0);
  }

  /** Begins a level; also a state of another that has begun it does. */
  begin(depth: number): void {
    if (depth <= this.depth) return;
    this.depth = depth;
    this.levelEnd = this.visited.count;
    this.added = 0;
  }

  /** Nothing of the level is left to do here, and everything that was sent is answered. */
  get isDone(): boolean {
    return this.isExpanded && this.unanswered === 0;
  }
  /** Could `work` go on without an answer? */
  get isReady(): boolean {
    return !this.isExpanded && this.unanswered < UNANSWERED_MAX;
  }
  private get isExpanded(): boolean {
    return this.at === this.levelEnd && this.unfinished.length === 0;
  }
  get counts(): { readonly states: number; readonly transitions: number; readonly frontier: number } {
    const { visited, transitions, at } = this;
    return { states: visited.count, transitions, frontier: visited.count - at };
  }

  /** Expands some states of the level. */
  work(states: number): void {
    for (let i = 0; i < states && this.isReady; i++) {
      const state = this.unfinished.pop();
      if (state !== undefined) this.finish(state);
      else {
        this.visit();
        this.at += 1;
      }
    }
    if (!this.isExpanded) return;
    this.outboxes.forEach((outbox, to) => {
      if (!outbox.isEmpty) this.post(to);
    });
  }

  accept(from: number, batch: Batch): void {
    this.begin(batch.depth - 1);
    const { space, visited, levelEnd } = this;
    const farther = batch.asks ? new Uint8Array(batch.states) : undefined;
    let read = 0;
    let added = 0;
    let broken = false;
    (this.inboxes[from] as Inbox).read(batch, {
      base: (row, changed) => visited.makeRoom(row, changed),
      state: (row, hash, changed) => {
        const state = visited.add(row, hash, -1, 0, changed);
        if (farther !== undefined && (state >= 0 || -1 - state >= levelEnd)) farther[read] = 1;
        read += 1;
        if (state < 0) return;
        added += 1;
        const rule = space.brokenRule(row);
        if (rule === undefined) return;
        broken = true;
        this.rules.add(rule);
      },
    });
    this.parcels.push({
      to: from,
      message: { kind: 'answer', added, broken, ...(farther === undefined ? {} : { farther }) },
    });
  }

  answered(from: number, answer: Answer): void {
    this.unanswered -= 1;
    this.added += answer.added;
    if (answer.broken) this.nearest(this.depth + 1);
    for (const { state, fresh } of (this.outboxes[from] as Outbox).answered(answer))
      if (!fresh) this.unfinished.push(state);
  }

  conclude(): Omit<Conclusion, 'kind' | 'learnt'> {
    const { visited, transitions, finalStates, stuckStates, outcomes, rules, deeper } = this;
    const { count: states, bytesPerState } = visited;
    return { states, transitions, finalStates, stuckStates, outcomes, rules, deeper, bytesPerState };
  }

  protected override stuck(rule: string): void {
    this.violates(rule, this.depth);
  }

  protected override expand(enabled: readonly number[]): void {
    const chosen = this.partialOrder?.choose(this.possible, enabled);
    if (chosen === undefined) {
      for (const mover of enabled) this.step(this.at, mover);
      return;
    }
    const asker: Asker = { state: this.at, open: 0, fresh: false };
    for (const mover of chosen) this.step(this.at, mover, asker);
    if (!asker.fresh && asker.open === 0) this.unfinished.push(this.at);
  }

  /** Takes the steps that were put off. */
  private finish(state: number): void {
    this.visited.read(state, this.row);
    const enabled = this.enabledMovers();
    const chosen = this.partialOrder?.choose(this.possible, enabled) ?? [];
    for (const mover of enabled) if (!chosen.includes(mover)) this.step(state, mover);
  }

  private step(from: number, mover: number, asker?: Asker): void {
    const { row, visited, space, canonical } = this;
    const { written } = this.possible[mover] as Possible;
    const { cells, numbers, before, violation } = written;
    this.transitions += 1;
    if (violation !== undefined) this.violates(violation.rule, this.depth + 1);
    if (canonical === undefined) {
      const hash = visited.hashOf(from) ^ written.hash;
      const owner = ownerOf(hash, this.shards);
      if (owner !== this.index) {
        (this.outboxes[owner] as Outbox).putStep(row, from, written, hash, asking(asker));
        this.postIfFull(owner);
        return;
      }
      for (let i = 0; i < cells.length; i++) row[cells[i] as number] = numbers[i] as number;
      this.keep(row, hash, asker, cells);
    } else {
      for (let i = 0; i < cells.length; i++) row[cells[i] as number] = numbers[i] as number;
      const kept = canonical.of(row);
      const hash = space.layout.hash.row(kept);
      const owner = ownerOf(hash, this.shards);
      if (owner === this.index) this.keep(kept, hash, asker);
      else {
        (this.outboxes[owner] as Outbox).put(kept, hash, asking(asker));
        this.postIfFull(owner);
      }
    }
    for (let i = 0; i < cells.length; i++) row[cells[i] as number] = before[i] as number;
  }

  /** A step led to a state of ours. */
  private keep(row: Row, hash: number, asker: Asker | undefined, changed?: readonly number[]): void {
    const state = this.visited.add(row, hash, -1, 0, changed);
    if (asker !== undefined && (state >= 0 || -1 - state >= this.levelEnd)) asker.fresh = true;
    if (state < 0) return;
    this.added += 1;
    const rule = this.space.brokenRule(row);
    if (rule !== undefined) this.violates(rule, this.depth + 1);
  }

  private postIfFull(to: number): void {
    if ((this.outboxes[to] as Outbox).isFull) this.post(to);
  }
  private post(to: number): void {
    this.parcels.push({ to, message: (this.outboxes[to] as Outbox).seal(this.depth + 1) });
    this.unanswered += 1;
  }

  private violates(rule: string, steps: number): void {
    this.rules.add(rule);
    this.nearest(steps);
  }
  private nearest(steps: number): void {
    if (this.violated === undefined || steps < this.violated) this.violated = steps;
  }
}

/** Who has still to know whether a state is farther. */
const asking = (asker: Asker | undefined): Asker | undefined => (asker?.fresh === false ? asker : undefined);
