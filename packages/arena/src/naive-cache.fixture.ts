import type { AccessKind } from '@tablewalk/contracts';

/**
 * A cache hierarchy written from golden/traces `meaning.line`, by other means than the engine: a list
 * of lines for each set, in order of replacement, nothing cached, nothing shared. Policies lru, fifo, rr.
 */
export interface NaiveGeometry {
  readonly sets: number;
  readonly ways: number;
  readonly line: number;
  readonly policy: 'lru' | 'stack' | 'fifo' | 'rr';
  readonly index?: 'va' | 'pa';
  readonly tag?: 'va' | 'pa';
  readonly through?: boolean;
}

interface NaiveLine {
  readonly tag: bigint;
  readonly pa: bigint;
  dirty: boolean;
}

/** `order`: ways in the order in which they will go; for rr the pointer decides. */
interface NaiveSet {
  readonly order: NaiveLine[];
  readonly slots: (NaiveLine | undefined)[];
  pointer: number;
}

export interface NaiveMemory {
  reads: number;
  writes: number;
}

export class NaiveCache {
  readonly counts: Record<string, number> = {};
  private readonly sets = new Map<number, NaiveSet>();

  constructor(
    readonly geometry: NaiveGeometry,
    private readonly below: NaiveCache | NaiveMemory,
  ) {}

  /** Bytes `[pa, pa + bytes)`, also known as `va`, by kind I, R or W. */
  access(kind: string, va: bigint, pa: bigint, bytes: number): void {
    const line = BigInt(this.geometry.line);
    for (let at = 0n; at < BigInt(bytes);) {
      const start = pa + at;
      const end = (start / line + 1n) * line;
      const part = end - start < BigInt(bytes) - at ? end - start : BigInt(bytes) - at;
      this.piece(kind, va + at, start, part === line);
      at += part;
    }
  }

  private piece(kind: string, va: bigint, pa: bigint, whole: boolean): void {
    const { sets, ways, line, policy, index = 'pa', tag = 'pa', through = false } = this.geometry;
    const base = pa - (pa % BigInt(line));
    const number = Number(((index === 'va' ? va : pa) / BigInt(line)) % BigInt(sets));
    const key = (tag === 'va' ? va : pa) / BigInt(line);
    const slots = Array<NaiveLine | undefined>(ways).fill(undefined);
    const set: NaiveSet = this.sets.get(number) ?? { order: [], slots, pointer: 0 };
    this.sets.set(number, set);
    this.count(`accesses::${kind}`);
    const found = set.order.find((candidate) => candidate.tag === key);
    if (found !== undefined) {
      if (policy === 'lru' || policy === 'stack')
        set.order.push(...set.order.splice(set.order.indexOf(found), 1));
      if (kind === 'W' && through) this.down('W', found.pa + (pa - base), whole ? line : 1);
      else if (kind === 'W') found.dirty = true;
      return;
    }
    this.count(`misses::${kind}`);
    if (kind === 'W' && through) return this.down('W', pa, whole ? line : 1);
    const filled: NaiveLine = { tag: key, pa: base, dirty: kind === 'W' };
    const way = policy === 'rr' ? set.pointer : set.slots.indexOf(undefined);
    const victim = way >= 0 ? set.slots[way] : set.order[0];
    const place = way >= 0 ? way : set.slots.indexOf(victim);
    if (victim !== undefined) set.order.splice(set.order.indexOf(victim), 1);
    set.order.push(filled);
    set.slots[place] = filled;
    set.pointer = (place + 1) % ways;
    if (!(kind === 'W' && whole)) this.down(kind === 'W' ? 'R' : kind, base, line);
    if (victim?.dirty !== true) return;
    this.count('writebacks');
    this.down('W', victim.pa, line);
  }

  maintain(operation: string, wanted: (va: bigint, pa: bigint) => boolean): [number, number] {
    let cleaned = 0;
    let invalidated = 0;
    // By set, then way, as the engine does a whole cache: by way, or where it keeps a stack by last use.
    for (const [, set] of [...this.sets].sort(([a], [b]) => a - b))
      (this.geometry.policy === 'stack' ? [...set.order].reverse() : [...set.slots]).forEach((line) => {
        if (line === undefined || !wanted(line.tag * BigInt(this.geometry.line), line.pa)) return;
        if (operation !== 'invalidate' && line.dirty) {
          line.dirty = false;
          this.down('W', line.pa, this.geometry.line);
          cleaned += 1;
        }
        if (operation === 'clean') return;
        set.slots[set.slots.indexOf(line)] = undefined;
        set.order.splice(set.order.indexOf(line), 1);
        invalidated += 1;
      });
    return [cleaned, invalidated];
  }

  private down(kind: string, pa: bigint, bytes: number): void {
    if (this.below instanceof NaiveCache) this.below.access(kind, pa, pa, bytes);
    else if (kind === 'W') this.below.writes += 1;
    else this.below.reads += 1;
  }

  private count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }
}

/** Feeds one piece to the L1s as the convention says. */
export function feed(
  caches: { instruction: NaiveCache; data: NaiveCache },
  [kind, va, pa, bytes]: readonly [kind: AccessKind, va: bigint, pa: bigint, bytes: number],
): void {
  if (kind === 0) caches.instruction.access('I', va, pa, bytes);
  if (kind === 1 || kind === 3) caches.data.access('R', va, pa, bytes);
  if (kind === 2 || kind === 3) caches.data.access('W', va, pa, bytes);
}
