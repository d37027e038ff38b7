import type { PrngState } from '@tablewalk/base';
import { CodedError } from '@tablewalk/base';
import type { ReplacementPolicy } from '@tablewalk/contracts';
import type { Arena } from './arena.ts';
import { CacheKind, mixOutcome } from './cache-counters.ts';
import type { CacheLedger, LevelCounters } from './cache-counters.ts';
import type { CacheGeometry } from './cache-spec.ts';
import { MissClassifier } from './miss-classifier.ts';

/** How a cache treats writes. */
export interface LevelRules {
  readonly writeThrough: boolean;
  /** False where no write-backs exist (drcachesim, cachegrind). */
  readonly marksDirty: boolean;
  /** A write that covers a line allocates it without reading below. */
  readonly wholeLineSkipsRead: boolean;
  readonly classify: boolean;
}

/** The key of an invalid way. Line number 2^32 - 1 is refused in its favour. */
export const INVALID = -1;

/**
 * One cache, as columns; way w of set s is slot `s * ways + w`.
 *
 * 1. `keys[slot]` is the full line number, virtual or physical as the tag is, or INVALID. No two valid
 *    ways of a set have the same key.
 * 2. `newestKey[set]`, `newestSlot[set]`: the way that was touched or filled last; INVALID and -1 when
 *    it has been invalidated. A hit there changes no replacement state (contract of the slot), so
 *    loops test `newestKey` themselves and call nothing.
 * 3. A line of the level below is as long or longer.
 * 4. `physical[slot]` is the physical line number: where a dirty line goes, whatever its tag.
 * 5. `stack`: under a policy that is LRU, the ways of a set lie in the order of their last use, newest first, with
 *    gaps where lines were dropped. Lines move, so a slot names a line until the next access only.
 */
export class CacheLevel {
  readonly keys: Int32Array;
  readonly physical: Int32Array;
  readonly dirty: Uint8Array;
  readonly newestKey: Int32Array;
  readonly newestSlot: Int32Array;
  readonly setMask: number;
  readonly lineShift: number;
  readonly ways: number;
  readonly stack: boolean;
  /** Valid ways by set. */
  readonly filled: Uint32Array;
  readonly classifier: MissClassifier | undefined;
  /** Of the line that `replace` drove out. */
  victimDirty = false;
  victimPhysical = 0;
  readonly lane: Int32Array;
  readonly laneWords: number;
  readonly globals: number;
  readonly random: PrngState;
  private readonly ignoresHits: boolean;
  private readonly ownsInvalidWays: boolean;

  constructor(
    arena: Arena,
    readonly geometry: CacheGeometry,
    readonly policy: ReplacementPolicy,
    seed: number,
    readonly rules: LevelRules,
    readonly ledger: CacheLedger,
    readonly at: LevelCounters,
    readonly below: CacheLevel | undefined,
  ) {
    const { sets, ways, lineShift, tag } = geometry;
    this.setMask = sets - 1;
    this.lineShift = lineShift;
    this.ways = ways;
    this.keys = arena.int32(sets * ways, INVALID);
    this.physical = tag === 'va' ? arena.int32(sets * ways) : this.keys;
    this.dirty = arena.uint8(sets * ways);
    this.filled = new Uint32Array(sets);
    this.newestKey = arena.int32(sets, INVALID);
    this.newestSlot = arena.int32(sets, -1);
    this.stack = policy.stack === true && policy.ownsInvalidWays !== true;
    this.laneWords = this.stack ? 0 : policy.words(ways);
    this.globals = sets * this.laneWords;
    this.lane = arena.int32(this.globals + (policy.globalWords ?? 0));
    if (!this.stack) for (let set = 0; set < sets; set++) policy.reset(this.lane, set * this.laneWords, ways);
    this.random = arena.generator(seed);
    this.ignoresHits = policy.ignoresHits === true;
    this.ownsInvalidWays = policy.ownsInvalidWays === true;
    this.classifier = rules.classify ? new MissClassifier(sets * ways) : undefined;
  }

  get isVirtuallyTagged(): boolean {
    return this.geometry.tag === 'va';
  }

  /** One access to one line of a physically addressed cache, or of any when set, key and line are given. */
  access(cpu: number, kind: number, set: number, key: number, line: number, whole: boolean): void {
    const counters = this.ledger.counters[cpu] as Float64Array;
    (counters[this.at.accesses + kind] as number) += 1;
    const write = kind === CacheKind.write;
    this.classifier?.reference(key, !(write && this.rules.writeThrough));
    if (this.newestKey[set] === key && key !== INVALID && !(write && this.rules.writeThrough)) {
      if (write && this.rules.marksDirty) this.dirty[this.newestSlot[set] as number] = 1;
      return;
    }
    this.lookup(cpu, kind, set, key, line, whole);
  }

  /** The rest of an access that is counted already and did not find its line in the newest way. */
  lookup(cpu: number, kind: number, set: number, key: number, line: number, whole: boolean): void {
    const slot = this.find(set, key);
    if (slot < 0) this.miss(cpu, kind, set, key, line, whole);
    else {
      const at = this.touch(set, slot, key);
      if (kind !== CacheKind.write) return;
      if (this.rules.writeThrough) this.writeBelow(cpu, this.physical[at] as number, whole);
      else if (this.rules.marksDirty) this.dirty[at] = 1;
    }
  }

  /** The slot of a line, or -1. */
  find(set: number, key: number): number {
    if (key === INVALID) return -1;
    const { keys, ways } = this;
    const first = set * ways;
    for (let slot = first; slot < first + ways; slot++) if (keys[slot] === key) return slot;
    return -1;
  }

  /** A hit: the way becomes the newest. Answers where its line is now. */
  touch(set: number, slot: number, key: number): number {
    if (this.newestSlot[set] === slot) return slot;
    const { ways } = this;
    const first = set * ways;
    let at = slot;
    if (this.stack) {
      this.raise(first, slot);
      at = first;
    } else if (!this.ignoresHits) this.policy.touch(this.lane, set * this.laneWords, ways, slot - first);
    this.newestKey[set] = key;
    this.newestSlot[set] = at;
    return at;
  }

  /** Moves a line to the top of its set's stack, and those that were above it one down. */
  private raise(first: number, slot: number): void {
    const { keys, dirty, physical } = this;
    const key = keys[slot] as number;
    const mark = dirty[slot] as number;
    const line = physical[slot] as number;
    for (let at = slot; at > first; at--) {
      keys[at] = keys[at - 1] as number;
      dirty[at] = dirty[at - 1] as number;
    }
    if (physical !== keys) for (let at = slot; at > first; at--) physical[at] = physical[at - 1] as number;
    keys[first] = key;
    dirty[first] = mark;
    physical[first] = line;
  }

  /** Puts a line into a way that is invalid or, if none is, that the policy gives up. Answers its slot. */
  replace(set: number, key: number, line: number): number {
    if (key === INVALID) throw lineTooHigh(this.geometry.lineBytes);
    const { keys, ways, lane } = this;
    const first = set * ways;
    const base = set * this.laneWords;
    let slot = first;
    if (this.ownsInvalidWays || this.filled[set] === ways) slot += ways;
    else while (slot < first + ways && keys[slot] !== INVALID) slot += 1;
    if (slot === first + ways)
      slot += this.stack ? -1 : this.policy.victim(lane, base, ways, this.random, this.globals) - ways;
    const valid = keys[slot] !== INVALID;
    if (!valid) (this.filled[set] as number) += 1;
    this.victimDirty = valid && this.dirty[slot] === 1;
    this.victimPhysical = this.physical[slot] as number;
    keys[slot] = key;
    this.physical[slot] = line;
    this.dirty[slot] = 0;
    if (this.stack) {
      this.raise(first, slot);
      slot = first;
    } else this.policy.fill(lane, base, ways, slot - first, this.globals);
    this.newestKey[set] = key;
    this.newestSlot[set] = slot;
    return slot;
  }

  /** The order of golden/traces, `meaning.line`: replace, read from below, then write the victim back. */
  miss(cpu: number, kind: number, set: number, key: number, line: number, whole: boolean): void {
    const counters = this.ledger.counters[cpu] as Float64Array;
    const { at, classifier, rules } = this;
    const write = kind === CacheKind.write;
    (counters[at.misses + kind] as number) += 1;
    if (classifier !== undefined) (counters[at.classes + classifier.lastClass] as number) += 1;
    this.note(cpu, key + kind);
    if (write && rules.writeThrough) return this.writeBelow(cpu, line, whole);
    const slot = this.replace(set, key, line);
    const victimDirty = this.victimDirty;
    const victim = this.victimPhysical;
    const skipsRead = write && whole && rules.wholeLineSkipsRead;
    if (!skipsRead) this.readBelow(cpu, write ? CacheKind.read : kind, line);
    if (write && rules.marksDirty) this.dirty[slot] = 1;
    if (!victimDirty) return;
    (counters[at.writebacks] as number) += 1;
    this.writeBelow(cpu, victim, true);
  }

  /** Drops a line, dirty or not. */
  drop(slot: number): void {
    const set = Math.floor(slot / this.ways);
    this.classifier?.forget(this.keys[slot] as number);
    if (this.keys[slot] !== INVALID) (this.filled[set] as number) -= 1;
    this.keys[slot] = INVALID;
    this.dirty[slot] = 0;
    if (this.newestSlot[set] !== slot) return;
    this.newestSlot[set] = -1;
    this.newestKey[set] = INVALID;
  }

  /** Counts anew what is derived from the lines, after they were put back from an image. */
  reindex(): void {
    this.filled.fill(0);
    for (const [slot, key] of this.keys.entries())
      if (key !== INVALID) (this.filled[Math.floor(slot / this.ways)] as number) += 1;
  }

  /** Adds an event to the CPU's summary of what happened. */
  note(cpu: number, event: number): void {
    this.ledger.outcomes[cpu] = mixOutcome(this.ledger.outcomes[cpu] as number, event);
  }

  /** Reads one line of this cache from the next level. */
  readBelow(cpu: number, kind: number, line: number): void {
    if (this.below === undefined) this.memory(cpu, this.ledger.memoryReads);
    else this.accessBelow(this.below, cpu, kind, line, false);
  }

  /** Writes one line, or (`whole` false) a part of one, to the next level. */
  writeBelow(cpu: number, line: number, whole: boolean): void {
    const { below } = this;
    if (below === undefined) this.memory(cpu, this.ledger.memoryWrites);
    else this.accessBelow(below, cpu, CacheKind.write, line, whole && this.lineShift === below.lineShift);
  }

  private accessBelow(below: CacheLevel, cpu: number, kind: number, line: number, whole: boolean): void {
    const wide = (line >>> (below.lineShift - this.lineShift)) | 0;
    below.access(cpu, kind, wide & below.setMask, wide, wide, whole);
  }

  private memory(cpu: number, counter: number): void {
    ((this.ledger.counters[cpu] as Float64Array)[counter] as number) += 1;
  }
}

const lineTooHigh = (lineBytes: number): CodedError =>
  new CodedError('CACHE_ADDRESS_TOO_HIGH', {
    what: `an access to the last ${lineBytes} bytes below 2^${32 + Math.log2(lineBytes)}`,
    why: 'the arenas keep line numbers in 32 bits, and the highest marks an invalid way',
    fix: 'map that page elsewhere',
  });
