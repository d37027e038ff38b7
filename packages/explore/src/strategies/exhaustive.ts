import { prngBelow, prngSeed } from '@tablewalk/base';
import type { SearchLimits } from '../expander.ts';
import { cover, Footprints } from '../footprints.ts';
import type { FixedFootprints } from '../footprints.ts';
import type { ExploreOptions } from '../result.ts';
import { Search } from '../search.ts';
import type { Found, Searched, Sighted } from '../search.ts';
import type { StateSpace } from '../state-space.ts';
import { Canonical } from '../symmetry.ts';
import { Walk } from '../walk.ts';

export const MAX_STATES = 10_000_000;

export interface Exhausted extends Searched<Sighted> {
  /** The movers of a shortest violation, where one was found: a path of states as they are. */
  readonly shortest: (Found & { readonly isShortest: boolean }) | undefined;
}

/** Every interleaving, by states: breadth first, with the reductions that are on. */
export function exhaustive(space: StateSpace, options: ExploreOptions): Exhausted {
  const { partialOrder = true } = options;
  const { canonical } = prepared(space, options);
  const searched = search(space, options, partialOrder, canonical, 'searching');
  return { ...searched, shortest: shortest(space, options, searched.found, searched.found?.movers) };
}

/**
 * What a search starts out with. Footprints come first: whatever the space is asked, also by who finds out about
 * permutations, they must learn.
 */
export function prepared(
  space: StateSpace,
  options: ExploreOptions,
): { readonly footprints: Footprints; readonly canonical: Canonical | undefined } {
  const footprints = learnFootprints(space, options);
  return { footprints, canonical: canonicalOf(space, options) };
}

/** What renames states to those that stand for them; undefined when there is nothing to rename, or symmetry is off. */
export function canonicalOf(space: StateSpace, { symmetry = true }: ExploreOptions): Canonical | undefined {
  const { symmetries = [] } = space.staged;
  return symmetry && symmetries.length > 0 ? new Canonical(space, symmetries) : undefined;
}

/**
 * A shortest way to a violation. Reductions keep the verdict but not the length of a witness (partial order) nor its
 * path (symmetry), and shards keep no paths: so a second search without them, no deeper than the first went,
 * finds a shortest. `movers`: the path that the first found, where it keeps paths.
 */
export function shortest(
  space: StateSpace,
  options: ExploreOptions,
  found: Sighted | undefined,
  movers: readonly number[] | undefined,
): Exhausted['shortest'] {
  if (found === undefined) return undefined;
  const { partialOrder = true, symmetry = true } = options;
  const isPath = movers !== undefined && (!symmetry || (space.staged.symmetries ?? []).length === 0);
  if (isPath && !partialOrder) return { steps: found.steps, movers, isShortest: true };
  const once = { ...options, throughViolations: false };
  const again = search(space, { ...once, maxDepth: found.steps }, false, undefined, 'shortening');
  if (again.found !== undefined) return { ...again.found, isShortest: true };
  // There was no room for the whole space up to that depth: a path that is real, if not the shortest.
  if (isPath) return { steps: found.steps, movers, isShortest: false };
  const real = search(space, once, partialOrder, undefined, 'shortening');
  return real.found && { ...real.found, isShortest: false };
}

/** One search; with partial order again and again, until it ends with the footprints that it began with. */
function search(
  space: StateSpace,
  options: ExploreOptions,
  partialOrder: boolean,
  canonical: Canonical | undefined,
  phase: 'searching' | 'shortening',
): Searched {
  const { onProgress } = options;
  const footprints = learnFootprints(space, options);
  for (;;) {
    const fixed = footprints.snapshot();
    const searched = new Search({
      space,
      ...limitsOf(options),
      phase,
      ...(partialOrder ? { footprints: fixed } : {}),
      ...(canonical === undefined ? {} : { canonical }),
      ...(onProgress === undefined ? {} : { onProgress }),
    }).run();
    if (!partialOrder || isSettled(searched, fixed, footprints.snapshot(), options)) return searched;
  }
}

export const limitsOf = ({
  maxStates = MAX_STATES,
  maxDepth = Infinity,
  throughViolations = false,
}: ExploreOptions): SearchLimits => ({ maxStates, maxDepth, throughViolations });

/** Did a search with these footprints come to what it would come to with all that is known now? */
export function isSettled(
  { complete, found }: Searched<Sighted>,
  footprints: FixedFootprints,
  learnt: FixedFootprints,
  { throughViolations = false }: ExploreOptions,
): boolean {
  // What it came to is true, if not all there is; a violation needs no more.
  if (!complete || (found !== undefined && !throughViolations)) return true;
  return cover(footprints, learnt);
}

const WALKS = 64;
const WALK_STEPS = 512;

/**
 * The footprints of a space, which go on learning as long as the space does. A few random schedules come first: what
 * they touch need not be found out by searches that begin again.
 */
function learnFootprints(space: StateSpace, options: ExploreOptions): Footprints {
  const known = FOOTPRINTS.get(space);
  if (known !== undefined) return known;
  const footprints = footprintsOf(space, options);
  FOOTPRINTS.set(space, footprints);
  for (let i = 0; i < WALKS; i++) {
    const draws = prngSeed(i);
    const walk = new Walk(space);
    while (walk.end === undefined && walk.movers.length < WALK_STEPS)
      walk.take(walk.enabled[prngBelow(draws, walk.enabled.length)] as number);
  }
  return footprints;
}

/** Footprints that learn whatever the space learns. */
export function footprintsOf(space: StateSpace, { checkTouches = true }: ExploreOptions): Footprints {
  const footprints = new Footprints(space, space.staged.play.tasks, checkTouches);
  space.listen((mover, possible) => {
    footprints.learn(mover, possible);
  });
  return footprints;
}
const FOOTPRINTS = new WeakMap<StateSpace, Footprints>();
