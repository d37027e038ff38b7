import { present } from '@tablewalk/base';
import type { Command, Env, Fact, RecordedFact, Reply, View, VisibleStep } from '@tablewalk/contracts';
import { actionEnabled, actionsOf, contextOf, LiveThread } from '@tablewalk/machine';
import type { PlayTask } from '@tablewalk/machine';
import type { Staged, Symmetry } from './story.ts';

/**
 * Breadth first, a state is JSON, nothing is clever: what stories are counted by without the explorer. For
 * plays of actions, and of tasks that have a CPU each and nothing to do with interrupts, locks of the kernel
 * or sleep. Violations are counted through: one that stays in the state is found in every state after it.
 */
export interface Counts {
  readonly verdict: 'holds' | 'violated';
  /** Steps to the nearest violation, or to the nearest stuck state. */
  readonly shortestCounterexample: number | null;
  readonly states: number;
  /** What is enabled, over all states, also where it leads back to the same; the initial state is none. */
  readonly transitions: number;
  readonly finalStates: number;
  readonly violatingFinals: number;
  readonly stuckFinals: number;
}

interface State {
  readonly slices: Readonly<Record<string, unknown>>;
  readonly threads: readonly Thread[];
}
/** A log, the last claim in it, and what was observed after that. */
interface Thread {
  readonly log: readonly Reply[];
  readonly claim: string;
  readonly since: readonly Reply[];
}

/** `merging`: believe what programs claim at their merges. */
export function countNaively(staged: Staged, merging = true): Counts {
  let states = 0;
  let transitions = 0;
  let shortest: number | null = null;
  const finals = { finalStates: 0, violatingFinals: 0, stuckFinals: 0 };
  for (const { state, successors, depth } of searchNaively(staged, merging)) {
    states += 1;
    transitions += successors.length;
    const violated = isViolated(staged, state);
    const stuck = successors.length === 0 && !mayEnd(staged, state);
    if (violated || stuck) shortest ??= depth;
    if (successors.length > 0) continue;
    finals.finalStates += 1;
    if (violated) finals.violatingFinals += 1;
    if (stuck) finals.stuckFinals += 1;
  }
  const verdict = shortest === null ? 'holds' : 'violated';
  return { verdict, shortestCounterexample: shortest, states, transitions, ...finals };
}

/** Each state once, the nearest first. */
function* searchNaively(staged: Staged, merging: boolean) {
  const initial = initialState(staged, merging);
  const known = new Set([keyOf(initial)]);
  for (let depth = 0, level = [initial]; level.length > 0; depth++) {
    const next: State[] = [];
    for (const state of level) {
      const successors = successorsOf(staged, state, merging);
      yield { state, successors, depth };
      for (const successor of successors) {
        const key = keyOf(successor);
        if (known.has(key)) continue;
        known.add(key);
        next.push(successor);
      }
    }
    level = next;
  }
}

/**
 * Is it a symmetry: does it leave the beginning alone, and is what may follow a state, and whether it is
 * wrong, the same before and after? Asked of every state.
 */
export function isSymmetry(staged: Staged, symmetry: Symmetry): boolean {
  const initial = initialState(staged, true);
  if (keyOf(moved(initial, symmetry)) !== keyOf(initial)) return false;
  for (const { state, successors } of searchNaively(staged, true)) {
    const other = moved(state, symmetry);
    const after = successorsOf(staged, other, true).map(keyOf);
    const expected = successors.map((successor) => keyOf(moved(successor, symmetry)));
    if (expected.sort().join() !== after.sort().join()) return false;
    if (isViolated(staged, state) !== isViolated(staged, other)) return false;
  }
  return true;
}

function moved({ slices, threads }: State, symmetry: Symmetry): State {
  const movedSlices = { ...slices };
  for (const name in slices)
    movedSlices[symmetry.slices?.[name] ?? name] = symmetry.value?.(name, slices[name]) ?? slices[name];
  const movedThreads = [...threads];
  threads.forEach((thread, task) => (movedThreads[symmetry.tasks?.[task] ?? task] = thread));
  return { slices: movedSlices, threads: movedThreads };
}

const viewOf =
  ({ slices }: Pick<State, 'slices'>): View =>
  <S>({ name }: { readonly name: string }): S =>
    present(slices[name], `slice ${name}`) as S;

/** What makes two states the same: of a thread that has merged, not what it observed before. */
const keyOf = ({ slices, threads }: State): string =>
  JSON.stringify([slices, threads.map(({ claim, since }) => [claim, since])]);

const isViolated = ({ play }: Staged, state: State): boolean =>
  play.never?.some(({ when }) => when(viewOf(state))) === true;

function initialState(staged: Staged, merging: boolean): State {
  const slices = Object.fromEntries(
    staged.components.map(({ name, component }) => [name, component.initial() as unknown]),
  );
  const begun: Thread = { log: [], claim: '', since: [] };
  return { slices, threads: staged.play.tasks.map((_, task) => settled(staged, task, begun, merging)) };
}

/** The thread after its last reply: it may stand at a claim, or have ended. */
function settled(staged: Staged, task: number, thread: Thread, merging: boolean): Thread {
  const { step, merged } = liveThread(staged, task, thread);
  if (step === undefined) return { ...thread, claim: 'ended', since: [] };
  if (!merging || merged === undefined) return thread;
  return { ...thread, claim: `${merged.label} ${merged.live.join()}`, since: [] };
}

function liveThread({ programs, play }: Staged, task: number, { log }: Thread): LiveThread {
  const { cpu, args, program } = play.tasks[task] as PlayTask;
  const live = new LiveThread(programs, contextOf(cpu, task, args, false), program);
  for (const reply of log) live.feed(reply);
  return live;
}

const isEnabled = (step: VisibleStep | undefined, view: View): boolean => {
  if (step === undefined) return false;
  const guard = step.kind === 'await' ? step.until : step.kind === 'issue' ? step.when : undefined;
  return guard === undefined || guard(view);
};

const mayEnd = ({ play }: Staged, state: State): boolean =>
  state.threads.every(({ claim }) => claim === 'ended') && play.mayEnd?.(viewOf(state)) !== false;

function successorsOf(staged: Staged, state: State, merging: boolean): readonly State[] {
  const view = viewOf(state);
  const at = { view, handlerOf: () => undefined, taskStep: () => undefined, runningTask: () => -1 };
  const acted = actionsOf(staged.components)
    .filter((action) => actionEnabled(at, action))
    .map(({ command }) => ({ ...state, slices: issued(staged, state, command).slices }));
  const stepped = state.threads.flatMap((thread, task) => {
    const { step } = liveThread(staged, task, thread);
    if (step === undefined || !isEnabled(step, view)) return [];
    const { slices, reply } = taken(staged, state, step);
    const fed = { ...thread, log: [...thread.log, reply], since: [...thread.since, reply] };
    return [{ slices, threads: state.threads.with(task, settled(staged, task, fed, merging)) }];
  });
  return [...stepped, ...acted];
}

function taken(staged: Staged, state: State, step: VisibleStep) {
  if (step.kind === 'await') return { slices: state.slices, reply: [] };
  if (step.kind === 'read') return { slices: state.slices, reply: step.look(viewOf(state)) };
  const { slices, facts } = issued(staged, state, step.command);
  return { slices, reply: step.pick?.(facts) ?? [] };
}

/** The component decides, and everybody evolves, on copies. */
function issued({ components }: Staged, state: State, command: Command) {
  const env: Env = { cpu: -1, view: viewOf(state), below: () => 0 };
  const target = present(
    components.find(({ name }) => name === command.to),
    command.to,
  );
  const facts = target.component.decide(command, state.slices[command.to], env);
  const slices = { ...state.slices };
  for (const fact of facts)
    for (const { name, component } of components) {
      if (!component.evolvesOn.includes(fact.type)) continue;
      slices[name] = structuredClone(slices[name]);
      component.evolve(slices[name], fact, recorded(fact));
    }
  return { slices, facts };
}

const recorded = (fact: Fact): RecordedFact => ({ seq: 0, by: '', cpu: -1, time: 0, stimulus: 0, fact });
