import { assert } from '@tablewalk/base';
import type { KernelFactOf } from '@tablewalk/contracts';
import type { Machine } from '@tablewalk/machine';
import type { Staged } from '@tablewalk/stories';
import { exhaustive } from './exhaustive.ts';
import type { Exhausted } from './exhaustive.ts';
import type { Exploration, ExploreOptions, Violation } from './result.ts';
import { StateSpace } from './state-space.ts';
import { playSchedule, scheduleOf } from './witness.ts';

/** What can be explored: a staged story, and a machine that plays it. */
export interface Explorable {
  readonly staged: Staged;
  readonly start: () => Machine;
}

/** Explores a story by the strategy that the options name. */
export function explore(story: Explorable, options: ExploreOptions = {}): Exploration {
  const space = spaceOf(story, options);
  return fromSearch(story, space, exhaustive(space, options), options);
}

/** The states of a story from the end of its scene on. */
export function spaceOf({ staged, start }: Explorable, { merges = true }: ExploreOptions): StateSpace {
  const machine = start();
  assert(machine.run().kind === 'needs-choice', 'a play begins with the choice that sets the scene');
  machine.offer({ kind: 'choice', taken: 0, of: 1 });
  machine.run();
  const space = new StateSpace(staged, machine.world, { merges });
  machine.close();
  return space;
}

function fromSearch(
  story: Explorable,
  space: StateSpace,
  searched: Exhausted,
  { throughViolations = false, maxDepth }: ExploreOptions,
): Exploration {
  const { shortest, states, transitions, depth, complete, deeper } = searched;
  const violation =
    shortest === undefined ? undefined : violationOf(story, space, shortest.movers, shortest.isShortest);
  const whole = complete && !deeper;
  const verdict = searched.found !== undefined ? 'violated' : whole ? 'holds' : 'unfinished';
  return {
    strategy: 'exhaustive',
    verdict,
    ...(violation === undefined ? {} : { violation }),
    states,
    transitions,
    depth,
    finalStates: searched.finalStates,
    stuckStates: searched.stuckStates,
    ...(whole && (searched.found === undefined || throughViolations)
      ? { outcomes: [...searched.outcomes].sort() }
      : {}),
    rules: [...searched.rules].sort(),
    bytesPerState: searched.bytesPerState,
    ...(verdict === 'unfinished'
      ? {
          unfinished: deeper
            ? `every schedule of up to ${maxDepth} steps was covered; longer ones were not`
            : `every schedule of up to ${Math.max(0, depth - 1)} steps was covered, some longer ones too`,
        }
      : {}),
  };
}

/** Plays the movers of a violation on the machine, which must find the same. */
export function violationOf(
  story: Explorable,
  space: StateSpace,
  movers: readonly number[],
  shortest: boolean,
): Violation {
  const schedule = scheduleOf(space, movers);
  const machine = story.start();
  const { steps, violation } = playSchedule(machine, space, schedule);
  machine.close();
  assert(violation !== undefined, 'the machine does not find what the explorer found: they disagree');
  const { checker, rule } = violation.fact as KernelFactOf<'PropertyViolated'>;
  return { checker, rule, schedule, witness: steps, shortest };
}
