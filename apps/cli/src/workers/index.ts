import { ConfigError } from '@tablewalk/base';
import type { BuiltStory } from '@tablewalk/compose';
import { concluded, explore, shardedSearch, spaceOf } from '@tablewalk/explore';
import type { Exploration, ExploreOptions } from '@tablewalk/explore';
import type { StoryChoice } from '../staging.ts';
import { Crew } from './crew.ts';

export const WORKERS_MAX = 64;

/**
 * Explores as `explore` does, in so many threads: with the same verdict, witness and counts. Only where a search runs
 * out of states are there more of them, because a level is searched to its end. Every thread stages the
 * story for itself, from the choice; a violation is shown by a search in this one.
 */
export async function exploreParallel(
  built: BuiltStory,
  choice: StoryChoice,
  workers: number,
  options: ExploreOptions = {},
): Promise<Exploration> {
  refuseWorkers(workers, options.strategy ?? (options.schedule === undefined ? 'exhaustive' : 'scripted'));
  if (workers === 1) return explore(built, options);
  const { onProgress, ...told } = options;
  const { story, variant, set } = choice;
  let depth = 0;
  const crew = new Crew(workers, { story: story.id, variant, set, options: told }, (counts) => {
    onProgress?.({ ...counts, depth, phase: 'searching' });
  });
  try {
    const space = spaceOf(built, options);
    const search = shardedSearch(space, options);
    let step = search.next();
    while (step.done !== true) {
      if (step.value.kind === 'expand') ({ depth } = step.value);
      step = search.next(await crew.carryOut(step.value));
    }
    // Their memory may be needed for what follows.
    await crew.dismiss();
    return concluded(built, space, options, step.value);
  } finally {
    await crew.dismiss();
  }
}

/** Says no to what threads cannot do, before anything is begun. `search`: a strategy, or what else it is called. */
export function refuseWorkers(workers: number, search: string): void {
  if (!Number.isInteger(workers) || workers < 1 || workers > WORKERS_MAX)
    throw new ConfigError('WORKERS_OUT_OF_RANGE', {
      what: `--workers ${workers} is no number of threads`,
      why: `a search runs in 1 to ${WORKERS_MAX} threads; more than the processor has cores gain nothing`,
      fix: 'give as many as there are cores to spare',
      at: '--workers',
    });
  if (workers === 1 || search === 'exhaustive') return;
  throw new ConfigError('WORKERS_NEED_EXHAUSTIVE', {
    what: `a ${search} search runs in one thread`,
    why: 'only the exhaustive search of one story has states that threads can share among them',
    fix: 'take out --workers',
    at: '--workers',
  });
}
