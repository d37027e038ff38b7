import { present } from '@tablewalk/base';
import { cpusKey, ipisKey, preemptible } from '@tablewalk/contracts';
import type { Action, Alternative, View, VisibleStep } from '@tablewalk/contracts';
import type { NamedComponent } from './fold.ts';
import { pendingIpi, stepEnabled, takesInterrupts } from './stepping.ts';

/**
 * What a story plays on a machine: a scene that is set without choices, then tasks, and the actions of
 * components beside them. A machine that plays has no processes with references of their own.
 */
export interface Play {
  readonly scene: readonly SceneStep[];
  readonly tasks: readonly PlayTask[];
  /** May it end here, with nothing more to happen? Absent: when every task has ended. */
  readonly mayEnd?: (view: View) => boolean;
  /** What must not be so after any step, beside what checkers say. */
  readonly never?: readonly Never[];
}

export interface Never {
  /** What is wrong then, in words: `a TLB entry for a page that is not mapped`. */
  readonly rule: string;
  readonly when: (view: View) => boolean;
}

/** A step of the scene: a process comes to be, or a program runs to its end on a CPU. */
export type SceneStep =
  | { readonly process: number; readonly name: string }
  | { readonly cpu: number; readonly program: string; readonly args: readonly number[] };

export interface PlayTask {
  readonly name: string;
  readonly cpu: number;
  readonly program: string;
  readonly args: readonly number[];
  /**
   * Names of the slices that the program may ever touch, in all its futures. Absent: any. Exploration
   * prunes by it, and refuses a step that touches another.
   */
  readonly touches?: readonly string[];
}

/** The actions of all components, in their order; the number of an action is its place here. */
export const actionsOf = (components: readonly NamedComponent[]): readonly Action[] =>
  components.flatMap(({ component }) => component.actions ?? []);

/** What the enabling of an alternative depends on beside the world: where the threads stand. */
export interface Standing {
  readonly view: View;
  /** The step of the interrupt handler on top of a CPU, if one runs. */
  handlerOf(cpu: number): VisibleStep | undefined;
  /** The step at which a task waits; undefined when it has ended. */
  taskStep(task: number): VisibleStep | undefined;
  /** The task that took the last step on a CPU; -1: none has. */
  runningTask(cpu: number): number;
}

/** May the CPU's interrupt be taken now? */
export const ipiEnabled = (at: Standing, cpu: number): boolean =>
  takesInterrupts(at.view, cpu, at.handlerOf(cpu) !== undefined) &&
  pendingIpi(at.view(ipisKey).open, cpu) !== undefined;

export function handlerEnabled(at: Standing, cpu: number): boolean {
  const step = at.handlerOf(cpu);
  return step !== undefined && stepEnabled(step, at.view);
}

/** May a task take a step: is its CPU free for it, and does its guard hold? */
export function taskEnabled(at: Standing, { cpu }: PlayTask, task: number): boolean {
  const step = at.taskStep(task);
  if (step === undefined || at.handlerOf(cpu) !== undefined) return false;
  const running = at.runningTask(cpu);
  if (running >= 0 && running !== task && holdsCpu(at, cpu, running)) return false;
  return stepEnabled(step, at.view);
}

/** Does a task keep others from its CPU: neither ended, nor asleep, nor preemptible? */
export function holdsCpu(at: Standing, cpu: number, task: number): boolean {
  const step = at.taskStep(task);
  if (step === undefined || (step.kind === 'await' && step.asleep === true)) return false;
  return !preemptible(at.view, cpu, task);
}

export const actionEnabled = (at: Standing, action: Action): boolean =>
  action.when === undefined || action.when(at.view);

/**
 * Everything that could happen next in a play, in one fixed order: by CPU its interrupt, then its handler's step;
 * then the tasks; then the actions. A schedule is a list of places in such lists.
 */
export function playAlternatives(
  enabled: Alternative[],
  at: Standing,
  { tasks }: Play,
  actions: readonly Action[],
): void {
  enabled.length = 0;
  const cpus = at.view(cpusKey).length;
  for (let cpu = 0; cpu < cpus; cpu++) {
    if (ipiEnabled(at, cpu)) enabled.push({ kind: 'ipi', cpu, time: 0 });
    if (handlerEnabled(at, cpu)) enabled.push({ kind: 'step', cpu, time: 0 });
  }
  for (let task = 0; task < tasks.length; task++) {
    const { cpu } = tasks[task] as PlayTask;
    if (taskEnabled(at, tasks[task] as PlayTask, task))
      enabled.push({ kind: 'task', cpu, which: task, time: 0 });
  }
  for (let action = 0; action < actions.length; action++)
    if (actionEnabled(at, present(actions[action], 'action')))
      enabled.push({ kind: 'action', cpu: -1, which: action, time: 0 });
}

/**
 * Why a play that can go no further must not stand still here: a task that sleeps and nobody left to wake
 * it is a lost wake-up, anything else a deadlock. Undefined when it may end.
 */
export function stuckRule(at: Standing, play: Play): string | undefined {
  const cpus = at.view(cpusKey).length;
  for (let cpu = 0; cpu < cpus; cpu++) if (at.handlerOf(cpu) !== undefined) return 'deadlock';
  const waiting = play.tasks.flatMap((_, task) => at.taskStep(task) ?? []);
  if (waiting.length > 0) {
    const asleep = (step: VisibleStep): boolean => step.kind === 'await' && step.asleep === true;
    return waiting.every(asleep) ? 'lost wake-up' : 'deadlock';
  }
  return play.mayEnd === undefined || play.mayEnd(at.view) ? undefined : 'deadlock';
}
