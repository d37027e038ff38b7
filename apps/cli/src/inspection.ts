import { HistoryError, present } from '@tablewalk/base';
import type { BuiltMachine } from '@tablewalk/compose';
import { accessBatch, cpusKey, processesKey } from '@tablewalk/contracts';
import type { AccessBatch, AccessEffects, KernelFactOf, RecordedFact, Stimulus } from '@tablewalk/contracts';
import { copyWorld, viewOf } from '@tablewalk/machine';
import type { World } from '@tablewalk/machine';
import type { HistoryFile } from './history-file.ts';
import type { Place } from './standstill.ts';

/** A batch as `replay --batches` lists it: a stretch of a process's references that one CPU ran without a stop. */
export interface BatchRow {
  /** Counts the BatchRetired facts that retired a reference, from 0. */
  readonly number: number;
  readonly seq: number;
  readonly cpu: number;
  readonly mm: number;
  /** Which of the batches that were supplied to the process, and the place of its first reference there. */
  readonly supplied: number;
  readonly from: number;
  readonly count: number;
  /** Why the next reference did not retire: the fact behind this one, if it tells of a trap. */
  readonly trap: RecordedFact | undefined;
}

/** Every batch of a history, from number `first` on, counted from fact `seq`. */
export function* batchRows(history: HistoryFile, seq = 0, first = 0): Generator<BatchRow> {
  let number = first;
  for (const [recorded, next] of pairs(history.history.facts(seq))) {
    const { fact } = recorded;
    if (retires(recorded)) yield rowOf(fact as KernelFactOf<'BatchRetired'>, recorded, next, number++);
  }
}

/** A batch about to be run again. */
export interface Pass {
  readonly row: BatchRow;
  readonly world: World;
  readonly references: AccessBatch;
  /** Traps of its first reference, when that was tried before. */
  readonly before: readonly RecordedFact[];
  /** Runs the batch, and the reference that trapped behind it; tells what the named references of it did. */
  inspect(wanted: (access: number) => boolean, tell: (access: number, effects: AccessEffects) => void): void;
}

/**
 * Runs the data plane of a history again from a place, without deciding anything: facts go into the world and the
 * arenas, batches run between them. What is counted must be what was recorded.
 */
export function* passes(history: HistoryFile, built: BuiltMachine, place: Place): Generator<Pass> {
  built.restore(place.standstill);
  const { dataPlane } = built;
  const fold = built.fold();
  const world = copyWorld(place.standstill.world);
  const supplied = new Map(place.standstill.batches);
  const cursor = new Batches(history, place.standstill.stimuli);
  let number = place.retired;
  let before: RecordedFact[] = [];
  let told: RecordedFact | undefined;
  for (const [recorded, next] of pairs(history.history.facts(world.facts))) {
    const { fact } = recorded;
    if (fact.type === 'BatchSupplied') {
      const { mm } = fact as KernelFactOf<'BatchSupplied'>;
      supplied.set(mm, cursor.at(recorded.stimulus));
    } else if (fact.type === 'BatchRetired') {
      const retired = fact as KernelFactOf<'BatchRetired'>;
      const row = rowOf(retired, recorded, next, number);
      told = row.trap;
      const references = supplied.get(retired.mm) ?? accessBatch(0);
      const stretch = new Stretch(built, world, references, row);
      if (retired.count > 0) {
        number += 1;
        const inspect: Pass['inspect'] = (wanted, tell) => {
          stretch.run(wanted, tell);
        };
        const own = before.filter((trapped) => trapped.cpu === row.cpu);
        yield { row, world, references, before: own, inspect };
        before = before.filter((trapped) => trapped.cpu !== row.cpu);
      }
      stretch.run();
      stretch.check(retired);
    } else if (traps(recorded)) {
      // An access that used a stale translation counts nothing: where it was the first, no batch tells of it.
      if (told !== recorded) runAlone(built, world, supplied, recorded);
      before.push(recorded);
    }
    fold.direct(world, recorded);
    dataPlane.apply(fact);
  }
}

/** The references of one BatchRetired fact, and the one behind them where it trapped; run once. */
class Stretch {
  private ran = false;

  constructor(
    private readonly built: BuiltMachine,
    private readonly world: World,
    private readonly references: AccessBatch,
    private readonly row: BatchRow,
  ) {}

  run(
    wanted: (access: number) => boolean = () => false,
    tell?: (access: number, effects: AccessEffects) => void,
  ): void {
    if (this.ran) return;
    this.ran = true;
    const { row, references, world, built } = this;
    const { dataPlane } = built;
    const context = present(viewOf(() => world)(cpusKey)[row.cpu], 'cpu');
    const end = row.from + row.count + (row.trap === undefined ? 0 : 1);
    for (let at = row.from; at < end;) {
      if (wanted(at - row.from) && dataPlane.inspect !== undefined) {
        tell?.(at - row.from, dataPlane.inspect(row.cpu, context, references, at));
        at += 1;
        continue;
      }
      let to = at + 1;
      while (to < end && !wanted(to - row.from)) to += 1;
      const reached = dataPlane.run(row.cpu, context, references, at, to);
      if (reached < Math.min(to, row.from + row.count))
        throw apart(row, `reference ${reached - row.from} trapped`);
      at = to;
    }
  }

  check({ counters, digest, cpu }: KernelFactOf<'BatchRetired'>): void {
    const { dataPlane } = this.built;
    const counted = dataPlane.takeCounters(cpu);
    const same = counted.length === counters.length && counted.every((value, i) => value === counters[i]);
    if (!same)
      throw apart(this.row, `counted ${JSON.stringify(counted)}, recorded ${JSON.stringify(counters)}`);
    if (dataPlane.outcomeWord(cpu) !== digest) throw apart(this.row, 'other lines or entries were missed');
  }
}

function runAlone(
  { dataPlane }: BuiltMachine,
  world: World,
  supplied: ReadonlyMap<number, AccessBatch>,
  { fact }: RecordedFact,
): void {
  const { cpu, mm } = fact as KernelFactOf<'StaleTranslationUsed'>;
  const view = viewOf(() => world);
  const { position } = present(view(processesKey)[mm], 'process');
  const batch = present(supplied.get(mm), 'batch');
  dataPlane.run(cpu, present(view(cpusKey)[cpu], 'cpu'), batch, position, position + 1);
}

const apart = (row: BatchRow, why: string): HistoryError =>
  new HistoryError('INSPECTION_DIVERGED', {
    what: `batch ${row.number} does not come out as it was recorded`,
    why,
    fix: 'use the version of Tablewalk and of the plugins that recorded it',
    at: `fact ${row.seq}`,
  });

const retires = ({ fact }: RecordedFact): boolean =>
  fact.type === 'BatchRetired' && (fact as KernelFactOf<'BatchRetired'>).count > 0;
const traps = ({ fact }: RecordedFact): boolean =>
  fact.type === 'AbortTaken' || fact.type === 'StaleTranslationUsed';

function rowOf(
  { cpu, mm, batch, from, count }: KernelFactOf<'BatchRetired'>,
  { seq }: RecordedFact,
  next: RecordedFact | undefined,
  number: number,
): BatchRow {
  const trap = next !== undefined && next.cpu === cpu && traps(next) ? next : undefined;
  return { number, seq, cpu, mm, supplied: batch, from, count, trap };
}

/** Each fact with the one behind it. */
function* pairs(facts: Iterable<RecordedFact>): Generator<[RecordedFact, RecordedFact | undefined]> {
  let before: RecordedFact | undefined;
  for (const recorded of facts) {
    if (before !== undefined) yield [before, recorded];
    before = recorded;
  }
  if (before !== undefined) yield [before, undefined];
}

/** Batches by the number of their stimulus, in ascending order. */
class Batches {
  private readonly rest: Iterator<Stimulus>;

  constructor(
    private readonly history: HistoryFile,
    private next: number,
  ) {
    this.rest = history.history.stimuli(next);
  }

  at(number: number): AccessBatch {
    for (; this.next < number; this.next++) this.rest.next();
    this.next += 1;
    const { done, value } = this.rest.next();
    if (done !== true && value.kind === 'batch') return value.batch;
    throw new HistoryError('HISTORY_DAMAGED', {
      what: `stimulus ${number} brings no references`,
      at: this.history.path,
    });
  }
}
