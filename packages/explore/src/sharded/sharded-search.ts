import { assert } from '@tablewalk/base';
import { united } from '../footprints.ts';
import type { FixedFootprints } from '../footprints.ts';
import type { ExploreOptions } from '../result.ts';
import type { Searched, Sighted } from '../search.ts';
import type { StateSpace } from '../state-space.ts';
import { isSettled, limitsOf, prepared } from '../strategies/exhaustive.ts';
import type { Conclusion, Order, Report } from './messages.ts';

/** Orders for all shards, each to be resumed with their reports. */
export type Leading<T> = Generator<Order, T, readonly Report[]>;

/**
 * Leads shards through a search, level by level, and again until no footprint grew. What it comes to is what one
 * search does, in states, transitions and all else that is counted. Only a search that runs out of states does not:
 * this one still ends the level in which it did, whose states one search would have expanded in part.
 */
export function* shardedSearch(space: StateSpace, options: ExploreOptions): Leading<Searched<Sighted>> {
  const { partialOrder = true } = options;
  let footprints = prepared(space, options).footprints.snapshot();
  for (;;) {
    const found = yield* once(partialOrder ? footprints : undefined, options);
    const learnt = united([footprints, ...found.learnt]);
    if (!partialOrder || isSettled(found.searched, footprints, learnt, options)) return found.searched;
    footprints = learnt;
  }
}

interface Once {
  readonly searched: Searched<Sighted>;
  readonly learnt: readonly FixedFootprints[];
}

function* once(footprints: FixedFootprints | undefined, options: ExploreOptions): Leading<Once> {
  const { maxStates, throughViolations } = limitsOf(options);
  yield { kind: 'begin', ...(footprints === undefined ? {} : { footprints }) };
  let states = 1;
  let steps = Infinity;
  let depth = 0;
  let added: number;
  for (; ; depth++) {
    const reports = of('expanded', yield { kind: 'expand', depth });
    added = sum(reports.map((report) => report.added));
    states += added;
    steps = Math.min(steps, ...reports.map(({ violated = Infinity }) => violated));
    if (added === 0 || (steps < Infinity && !throughViolations) || states > maxStates) break;
  }
  const parts = of('concluded', yield { kind: 'conclude' });
  const searched = {
    ...total(parts),
    depth,
    found: steps === Infinity ? undefined : { steps },
    complete: added === 0 && states <= maxStates,
  };
  assert(searched.states === states, 'shards keep other states than they reported');
  return { searched, learnt: parts.map(({ learnt }) => learnt) };
}

function of<K extends Report['kind']>(
  kind: K,
  reports: readonly Report[],
): readonly Extract<Report, { readonly kind: K }>[] {
  return reports.map((report) => {
    assert(report.kind === kind, `a shard was to report that it has ${kind}`);
    return report as Extract<Report, { readonly kind: K }>;
  });
}

const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);

function total(parts: readonly Conclusion[]): Omit<Searched<Sighted>, 'depth' | 'found' | 'complete'> {
  const counted = (count: (part: Conclusion) => number): number => sum(parts.map(count));
  const states = counted((part) => part.states);
  return {
    states,
    transitions: counted((part) => part.transitions),
    finalStates: counted((part) => part.finalStates),
    stuckStates: counted((part) => part.stuckStates),
    outcomes: new Set(parts.flatMap(({ outcomes }) => [...outcomes])),
    rules: new Set(parts.flatMap(({ rules }) => [...rules])),
    deeper: parts.some(({ deeper }) => deeper),
    bytesPerState: counted((part) => part.states * part.bytesPerState) / states,
  };
}
