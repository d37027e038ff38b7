import { assert, assertNever } from '@tablewalk/base';
import type { KernelFactOf } from '@tablewalk/contracts';
import type { Machine } from '@tablewalk/machine';
import type { Staged } from '@tablewalk/stories';
import type { Exploration, ExploreOptions, StrategyName, Violation } from './result.ts';
import type { Searched, Sighted } from './search.ts';
import { StateSpace } from './state-space.ts';
import { deepening } from './strategies/deepening.ts';
import { exhaustive, shortest } from './strategies/exhaustive.ts';
import type { Exhausted } from './strategies/exhaustive.ts';
import { reexecution } from './strategies/reexecution.ts';
import { pct } from './strategies/pct.ts';
import { random } from './strategies/random.ts';
import type { Sampled } from './strategies/sampling.ts';
import { minimised } from './walk.ts';
import { playSchedule, scheduleOf } from './witness.ts';

/** What can be explored: a staged story, and a machine that plays it. */
export interface Explorable {
  readonly staged: Staged;
  readonly start: () => Machine;
  /** The same with other programs or components. */
  readonly restaged: (staged: Staged) => Explorable;
}

/** Explores a story by the strategy that the options name. */
export function explore(story: Explorable, options: ExploreOptions = {}): Exploration {
  const { strategy = options.schedule === undefined ? 'exhaustive' : 'scripted' } = options;
  const space = spaceOf(story, options);
  switch (strategy) {
    case 'exhaustive':
      return exhausted(story, space, options, exhaustive(space, options));
    case 'deepening':
      return deepened(story, space, options);
    case 'random':
      return sampled(story, space, strategy, random(space, options));
    case 'pct':
      return sampled(story, space, strategy, pct(space, options));
    case 'scripted':
      return scripted(story, space, options.schedule ?? []);
    case 'reexecution':
      return reexecuted(story, space, options);
    default:
      return assertNever(strategy);
  }
}

/** The states of a story from the end of its scene on. */
export function spaceOf({ staged, start }: Explorable, { merges = true }: ExploreOptions = {}): StateSpace {
  const machine = start();
  assert(machine.run().kind === 'needs-choice', 'a play begins with the choice that sets the scene');
  machine.offer({ kind: 'choice', taken: 0, of: 1 });
  machine.run();
  const space = new StateSpace(staged, machine.world, { merges });
  machine.close();
  return space;
}

/** What a search by shards comes to. Where they found a violation it takes a search in this thread to show it. */
export function concluded(
  story: Explorable,
  space: StateSpace,
  options: ExploreOptions,
  searched: Searched<Sighted>,
): Exploration {
  const shown = shortest(space, options, searched.found, undefined);
  return exhausted(story, space, options, { ...searched, shortest: shown });
}

function exhausted(
  story: Explorable,
  space: StateSpace,
  options: ExploreOptions,
  searched: Exhausted,
): Exploration {
  const { shortest, found, states, transitions, depth, complete, deeper } = searched;
  const whole = complete && !deeper;
  const verdict = found !== undefined ? 'violated' : whole ? 'holds' : 'unfinished';
  const covered = deeper ? (options.maxDepth ?? depth) : Math.max(0, depth - 1);
  return {
    strategy: 'exhaustive',
    verdict,
    ...(shortest === undefined
      ? {}
      : { violation: violationOf(story, space, shortest.movers, shortest.isShortest) }),
    states,
    transitions,
    depth,
    finalStates: searched.finalStates,
    stuckStates: searched.stuckStates,
    ...(whole && (found === undefined || options.throughViolations === true)
      ? { outcomes: [...searched.outcomes].sort() }
      : {}),
    rules: [...searched.rules].sort(),
    bytesPerState: searched.bytesPerState,
    ...(verdict === 'unfinished' ? { unfinished: `schedules of up to ${covered} steps, each of them` } : {}),
  };
}

function deepened(story: Explorable, space: StateSpace, options: ExploreOptions): Exploration {
  const { states, transitions, depth, complete, found } = deepening(space, options);
  const verdict = found !== undefined ? 'violated' : complete ? 'holds' : 'unfinished';
  return {
    ...NOT_COUNTED,
    strategy: 'deepening',
    verdict,
    ...(found === undefined ? {} : { violation: violationOf(story, space, found.movers, true) }),
    states,
    transitions,
    depth,
    rules: found === undefined ? [] : [found.rule],
    ...(verdict === 'unfinished' ? { unfinished: `schedules of up to ${depth} steps, each of them` } : {}),
  };
}

function sampled(
  story: Explorable,
  space: StateSpace,
  strategy: StrategyName,
  { schedules, states, transitions, depth, cut, found }: Sampled,
): Exploration {
  const ended = cut === 0 ? 'each to its end' : `${cut} of them cut off after ${depth} steps`;
  return {
    ...NOT_COUNTED,
    strategy,
    // However many schedules were clean, others were not looked at.
    verdict: found === undefined ? 'unfinished' : 'violated',
    ...(found === undefined
      ? { unfinished: `${schedules} schedules drawn at random, ${ended}` }
      : { violation: violationOf(story, space, minimised(space, found.movers), false) }),
    states,
    transitions,
    depth,
    schedules,
    rules: found === undefined ? [] : [found.rule],
  };
}

function scripted(story: Explorable, space: StateSpace, schedule: readonly number[]): Exploration {
  const machine = story.start();
  const { steps, violation } = playSchedule(machine, space, schedule);
  machine.close();
  const common = {
    ...NOT_COUNTED,
    strategy: 'scripted',
    states: steps.length + 1,
    transitions: steps.length,
    depth: steps.length,
    schedules: 1,
  } as const;
  if (violation === undefined)
    return { ...common, verdict: 'unfinished', rules: [], unfinished: 'the one schedule that was given' };
  const { checker, rule } = violation.fact as KernelFactOf<'PropertyViolated'>;
  return {
    ...common,
    verdict: 'violated',
    violation: { checker, rule, schedule, witness: steps, shortest: false },
    rules: [rule],
  };
}

function reexecuted(story: Explorable, space: StateSpace, options: ExploreOptions): Exploration {
  const outcomeOf = (machine: Machine): string => space.outcomeOf(machine.world.slices);
  const found = reexecution(story.start, outcomeOf, options);
  const { schedules, transitions, depth, complete, finals, outcomes, rules } = found;
  const verdict = found.found !== undefined ? 'violated' : complete ? 'holds' : 'unfinished';
  return {
    ...NOT_COUNTED,
    strategy: 'reexecution',
    verdict,
    ...(found.found === undefined
      ? {}
      : { violation: playedAs(story, space, found.found.schedule, complete) }),
    // It keeps no states: it cannot say how many were different.
    states: 0,
    transitions,
    depth,
    schedules,
    finalStates: finals,
    ...(complete ? { outcomes: [...outcomes].sort() } : {}),
    rules: [...rules].sort(),
    ...(verdict === 'unfinished' ? { unfinished: `${schedules} schedules of those that there are` } : {}),
  };
}

const NOT_COUNTED = { finalStates: 0, stuckStates: 0 } as const;

/** Plays the movers of a violation on the machine, which must find the same. */
function violationOf(
  story: Explorable,
  space: StateSpace,
  movers: readonly number[],
  shortest: boolean,
): Violation {
  return playedAs(story, space, scheduleOf(space, movers), shortest);
}

function playedAs(
  story: Explorable,
  space: StateSpace,
  schedule: readonly number[],
  shortest: boolean,
): Violation {
  const machine = story.start();
  const { steps, violation } = playSchedule(machine, space, schedule);
  machine.close();
  assert(violation !== undefined, 'the machine does not find what the explorer found: they disagree');
  const { checker, rule } = violation.fact as KernelFactOf<'PropertyViolated'>;
  return { checker, rule, schedule, witness: steps, shortest };
}
