import { prngBelow, prngSeed } from '@tablewalk/base';
import { Footprints } from '../footprints.ts';
import type { ExploreOptions } from '../result.ts';
import { Search } from '../search.ts';
import type { Found, Searched } from '../search.ts';
import type { StateSpace } from '../state-space.ts';
import { Canonical } from '../symmetry.ts';
import { Walk } from '../walk.ts';

export const MAX_STATES = 10_000_000;

export interface Exhausted extends Searched {
  /** The movers of a shortest violation, where one was found: a path of states as they are. */
  readonly shortest: (Found & { readonly isShortest: boolean }) | undefined;
}

/**
 * Every interleaving, by states: breadth first, with the reductions that are on. Reductions keep the verdict
 * but not the length of a witness (partial order) nor its path (symmetry), so where one was on a second
 * search without them, no deeper than the first went, finds a shortest.
 */
export function exhaustive(space: StateSpace, options: ExploreOptions): Exhausted {
  const { partialOrder = true, symmetry = true, maxDepth = Infinity } = options;
  const { symmetries = [] } = space.staged;
  const canonical = symmetry && symmetries.length > 0 ? new Canonical(space, symmetries) : undefined;
  const searched = search(space, options, partialOrder, canonical, maxDepth, 'searching');
  const { found } = searched;
  if (found === undefined) return { ...searched, shortest: undefined };
  if (!partialOrder && canonical === undefined)
    return { ...searched, shortest: { ...found, isShortest: true } };
  const again = search(
    space,
    { ...options, throughViolations: false },
    false,
    undefined,
    found.movers.length,
    'shortening',
  );
  if (again.found !== undefined) return { ...searched, shortest: { ...again.found, isShortest: true } };
  // There was no room for the whole space up to that depth: a path that is real, if not the shortest.
  if (canonical === undefined) return { ...searched, shortest: { ...found, isShortest: false } };
  const real = search(
    space,
    { ...options, throughViolations: false },
    partialOrder,
    undefined,
    maxDepth,
    'shortening',
  );
  return { ...searched, shortest: real.found && { ...real.found, isShortest: false } };
}

/** One search; with partial order again and again, until it ends with the footprints that it began with. */
function search(
  space: StateSpace,
  options: ExploreOptions,
  partialOrder: boolean,
  canonical: Canonical | undefined,
  maxDepth: number,
  phase: 'searching' | 'shortening',
): Searched {
  const { maxStates = MAX_STATES, throughViolations = false, checkTouches = true, onProgress } = options;
  const footprints = learnFootprints(space, checkTouches);
  for (;;) {
    const { version } = footprints;
    const rulesRead = space.neverReads.size;
    const searched = new Search({
      space,
      maxStates,
      maxDepth,
      throughViolations,
      phase,
      ...(partialOrder ? { footprints: footprints.snapshot() } : {}),
      ...(canonical === undefined ? {} : { canonical }),
      ...(onProgress === undefined ? {} : { onProgress }),
    }).run();
    const settled = footprints.version === version && space.neverReads.size === rulesRead;
    if (!partialOrder || settled || !searched.complete) return searched;
    if (searched.found !== undefined && !throughViolations) return searched;
  }
}

const WALKS = 64;
const WALK_STEPS = 512;

/**
 * The footprints of a space, which go on learning as long as the space does. A few random schedules come first: what
 * they touch need not be found out by searches that begin again.
 */
function learnFootprints(space: StateSpace, checking: boolean): Footprints {
  const known = FOOTPRINTS.get(space);
  if (known !== undefined) return known;
  const footprints = new Footprints(space, space.staged.play.tasks, checking);
  FOOTPRINTS.set(space, footprints);
  space.onLearn = (mover, possible) => {
    footprints.learn(mover, possible);
  };
  for (let i = 0; i < WALKS; i++) {
    const draws = prngSeed(i);
    const walk = new Walk(space);
    while (walk.end === undefined && walk.movers.length < WALK_STEPS)
      walk.take(walk.enabled[prngBelow(draws, walk.enabled.length)] as number);
  }
  return footprints;
}
const FOOTPRINTS = new WeakMap<StateSpace, Footprints>();
