import { ConfigError, HistoryError } from '@tablewalk/base';
import type { RecordedFact, Stimulus } from '@tablewalk/contracts';
import { recordedAt } from '@tablewalk/history';
import type { FactBlock } from '@tablewalk/history';
import { Comparison, copyWorld } from '@tablewalk/machine';
import type { Divergence, Machine, MachineOptions, Recorder, Standstill, World } from '@tablewalk/machine';
import type { BuiltMachine } from './build.ts';
import type { EffectiveConfig } from './plan.ts';

/** A stretch of a history that one config decided: from fact `from` to where the next one begins. */
export interface Segment {
  readonly from: number;
  readonly config: EffectiveConfig;
}

/** What travelling needs of a history. */
export interface Travelled {
  readonly factCount: number;
  facts(from: number): Iterator<RecordedFact>;
  /** Facts from the block on that has fact `from`, a block at a time: for those who want many. */
  blocks(from: number): Iterable<FactBlock>;
  stimuli(): Iterable<Stimulus>;
  /** The newest stored world that has at most `facts` facts. */
  checkpoint(facts: number): World | undefined;
}

/** Folds a history to the world after its first `facts` facts. No policy code runs. */
export function replay(history: Travelled, built: BuiltMachine, facts: number): World {
  const start = history.checkpoint(facts);
  const fold = built.fold();
  const world = start ?? fold.initial();
  if (world.facts >= facts) return world;
  for (const block of history.blocks(world.facts)) {
    const end = Math.min(block.count, facts - block.first);
    for (let i = world.facts - block.first; i < end; i++) fold.direct(world, recordedAt(block, i));
    if (world.facts >= facts) break;
  }
  return world;
}

export interface RerunVerdict {
  readonly compared: number;
  readonly divergence?: Divergence;
  /** The machine at the end of the recording. */
  readonly machine: Machine;
}

/** Gives the recorded stimuli, in their order, to whatever asks. */
export class StimulusFeed {
  private readonly rest: Iterator<Stimulus>;
  private ahead: Stimulus | undefined;

  constructor(stimuli: Iterable<Stimulus>) {
    this.rest = stimuli[Symbol.iterator]();
    this.ahead = this.pull();
  }

  get peek(): Stimulus | undefined {
    return this.ahead;
  }

  next(): Stimulus | undefined {
    const stimulus = this.ahead;
    this.ahead = this.pull();
    return stimulus;
  }

  private pull(): Stimulus | undefined {
    const { done, value } = this.rest.next();
    return done === true ? undefined : value;
  }
}

/** Decides a history again from its stimuli alone, and holds every fact against the recording. */
export function rerun(
  history: Travelled,
  segments: readonly Segment[],
  build: (config: EffectiveConfig) => BuiltMachine,
): RerunVerdict {
  const comparison = new Comparison(history.facts(0));
  const machine = decideAgain(history, segments, build, history.factCount, comparison).machine;
  const { compared, divergence } = comparison;
  return { compared, machine, ...(divergence === undefined ? {} : { divergence }) };
}

interface Again {
  readonly machine: Machine;
  readonly built: BuiltMachine;
  readonly feed: StimulusFeed;
}

/** Runs a history's machines over its stimuli up to fact `until`, or a divergence. */
export function decideAgain(
  history: Travelled,
  segments: readonly Segment[],
  build: (config: EffectiveConfig) => BuiltMachine,
  until: number,
  comparison: Comparison,
): Again {
  const feed = new StimulusFeed(history.stimuli());
  let current: Again | undefined;
  for (const [i, segment] of segments.entries()) {
    if (segment.from >= until && i > 0) break;
    current =
      current === undefined
        ? begin(build(segment.config), feed, comparison)
        : handOver(current, build(segment.config), comparison);
    const end = Math.min(until, segments[i + 1]?.from ?? until);
    feedUntil(
      current.machine,
      feed,
      () => (current as Again).machine.world.facts >= end || comparison.divergence !== undefined,
    );
    if (comparison.divergence !== undefined) break;
  }
  if (current === undefined)
    throw new HistoryError('HISTORY_DAMAGED', { what: 'the history names no machine' });
  return current;
}

/** A recorder that must be told how its history ends. */
export interface ClosingRecorder extends Recorder {
  close(closing: { readonly digest: string; readonly facts: number }): void;
}

export interface Branch {
  readonly machine: Machine;
  readonly feed: StimulusFeed;
  /** The fact at which the branch goes its own way. */
  readonly from: number;
  readonly recorder: ClosingRecorder | undefined;
}

/**
 * Decides a history again up to fact `at`, and on to the next moment at which nothing is under way in
 * the kernel; there the machine of `next` takes over. Undefined when there is no such moment.
 */
export function branchMachine(
  history: Travelled,
  segments: readonly Segment[],
  build: (config: EffectiveConfig) => BuiltMachine,
  at: number,
  next: BuiltMachine,
  recorderFrom?: (from: number, stimuli: number) => ClosingRecorder,
): Branch | undefined {
  const comparison = new Comparison(history.facts(0));
  const again = decideAgain(history, segments, build, at, comparison);
  const { machine, feed } = again;
  feedUntil(machine, feed, () => machine.world.facts >= at && machine.quiescent());
  const { divergence } = comparison;
  if (divergence !== undefined)
    throw new HistoryError('RERUN_DIVERGED', {
      what: `the history cannot be decided again: fact ${divergence.seq} differs in "${divergence.field}"`,
      why: `recorded ${JSON.stringify(divergence.recorded)}, decided ${JSON.stringify(divergence.decided)}`,
      fix: 'use the version of Tablewalk and of the plugins that recorded it',
    });
  const from = machine.world.facts;
  if (!machine.quiescent() || from > history.factCount) return undefined;
  const recorder = recorderFrom?.(from, machine.standstill().stimuli);
  const taken = handOver(again, next, recorder ?? NOBODY);
  return { machine: taken.machine, feed, from, recorder };
}

const NOBODY: Recorder = { stimulus() {}, fact() {} };

function begin(built: BuiltMachine, feed: StimulusFeed, recorder: Recorder): Again {
  return { machine: built.start({ recorder }), built, feed };
}

/** Goes on in another machine from where this one stands. */
export function handOver({ machine, built, feed }: Again, next: BuiltMachine, recorder: Recorder): Again {
  refuseWhatCannotChange(built.effective, next);
  const from = inheritedWorld(machine.standstill(), built.effective, next);
  machine.close();
  const kept = sameParts(built.effective, next.effective, ['tlb', 'cache', 'replacement']);
  const options: MachineOptions = { recorder, from };
  return {
    machine: next.start(options, kept ? built.dataPlane : undefined),
    built: kept ? { ...next, dataPlane: built.dataPlane } : next,
    feed,
  };
}

/** Runs between stimuli until `done`, or until the history has no more of them. */
export function feedUntil(machine: Machine, feed: StimulusFeed, done: () => boolean): void {
  while (!done()) {
    if (!runToStimulus(machine, feed.peek, done)) return;
    const stimulus = feed.next();
    if (stimulus === undefined) return;
    machine.offer(stimulus);
  }
}

/** Runs to where the stimulus that is next was offered; false where the machine is done, or comes to no such place. */
function runToStimulus(machine: Machine, next: Stimulus | undefined, until: () => boolean): boolean {
  // Processes are not asked for: they come before the machine takes its next step.
  if (next?.kind === 'process') return true;
  const limits = { runThroughViolations: true, until };
  if (next?.kind !== 'measure') {
    const { kind } = machine.run(limits);
    return kind === 'needs-batch' || kind === 'needs-choice';
  }
  machine.run({ ...limits, untilReferences: next.references });
  return !until() && machine.references === next.references;
}

const usesOf = (config: EffectiveConfig, slot: string): string => JSON.stringify(config.slots[slot]);
const sameParts = (a: EffectiveConfig, b: EffectiveConfig, slots: readonly string[]): boolean =>
  slots.every((slot) => usesOf(a, slot) === usesOf(b, slot));

function refuseWhatCannotChange(before: EffectiveConfig, next: BuiltMachine): void {
  const after = next.effective;
  const refused =
    before.cpus !== after.cpus
      ? 'cpus'
      : before.memory.ram !== after.memory.ram || before.memory.base !== after.memory.base
        ? 'memory'
        : usesOf(before, 'page-table') !== usesOf(after, 'page-table')
          ? 'slots.page-table'
          : before.seed !== after.seed
            ? 'seed'
            : undefined;
  if (refused === undefined) return;
  throw new ConfigError('BRANCH_CANNOT_CHANGE', {
    what: `a branch cannot change ${refused}`,
    why: 'the world at the branch was made with it: page tables, frames and CPUs would have no meaning',
    fix: 'start a new run with the other value',
    at: `--set ${refused}`,
  });
}

/** The world for the next machine: slices of unchanged plugins as they are, new ones from the beginning. */
function inheritedWorld(from: Standstill, before: EffectiveConfig, next: BuiltMachine): Standstill {
  const initial = next.fold().initial();
  const slices: Record<string, unknown> = {};
  for (const name of Object.keys(initial.slices)) {
    const known = from.world.slices[name];
    const changedHands =
      name in next.effective.slots && pluginId(before, name) !== pluginId(next.effective, name);
    if (changedHands && (hasState(known) || hasState(initial.slices[name])))
      throw new ConfigError('BRANCH_STATE_LOST', {
        what: `slot "${name}" cannot change hands in the middle of a run`,
        why: `${pluginId(next.effective, name)} cannot take over what ${pluginId(before, name)} remembers`,
        fix: 'start a new run with the other plugin',
        at: `--set slots.${name}`,
      });
    slices[name] = known === undefined || changedHands ? initial.slices[name] : known;
  }
  return { ...from, world: { ...copyWorld({ ...from.world, slices }) } };
}

const pluginId = (config: EffectiveConfig, slot: string): string => {
  const use = config.slots[slot];
  return typeof use === 'string' ? use : (use?.use ?? 'none');
};

const hasState = (slice: unknown): boolean =>
  typeof slice === 'object' && slice !== null && Object.keys(slice).length > 0;
