import type { Command, View } from './component.ts';
import { sliceKey } from './component.ts';
import { cpusKey, locksKey } from './kernel.ts';
import { order } from './program.ts';
import type { ProgramContext, Routine } from './program.ts';

/**
 * Tasks: kernel threads that share a CPU and may be preempted. Only a story's machine has them. Preemption
 * is not an instruction: where a task may be preempted, any other task of the CPU may take the next step.
 */
export interface TaskState {
  readonly name: string;
  readonly cpu: number;
  /** preempt_count: in an atomic section while above 0. Every task has its own. */
  preemptCount: number;
  /** The wait queue that it is on, in state UNINTERRUPTIBLE; empty: on none, in state RUNNING. */
  queue: string;
}
export type TasksState = TaskState[];
export const tasksKey = sliceKey<TasksState>('tasks');

export interface TaskCommand extends Command {
  readonly cpu: number;
  readonly task: number;
  readonly queue: string;
}
const taskCommand = (type: string, { cpu, task = -1 }: ProgramContext, queue = ''): TaskCommand => ({
  to: 'tasks',
  type,
  cpu,
  task,
  queue,
});

/** preempt_disable. In an interrupt handler, which nothing preempts, it does nothing. */
export const preemptDisable = (context: ProgramContext): Routine =>
  order(taskCommand('DisablePreemption', context));
/** preempt_enable. */
export const preemptEnable = (context: ProgramContext): Routine =>
  order(taskCommand('EnablePreemption', context));

/**
 * prepare_to_wait: the task is on the queue (add_wait_queue, set_current_state), and still has its CPU. A wake-up
 * from here on is not lost: it takes the task off the queue, and `schedule` comes back at once.
 */
export const prepareToWait = (context: ProgramContext, queue: string): Routine =>
  order(taskCommand('PrepareToWait', context, queue));

/** schedule: gives the CPU away, and goes on when the task is on no queue any more. */
export function* schedule(context: ProgramContext): Routine {
  const { task } = context;
  yield* order(taskCommand('Schedule', context));
  yield {
    kind: 'await',
    until: (view) => task === undefined || view(tasksKey)[task]?.queue === '',
    reason: 'asleep',
    asleep: true,
  };
}

/**
 * sleep_on: both. Who looks at its condition first, and not between the two or under a lock that the waker
 * takes, loses the wake-up that comes in between: exploration tells.
 */
export function* sleepOn(context: ProgramContext, queue: string): Routine {
  yield* prepareToWait(context, queue);
  yield* schedule(context);
}
/** wake_up: everybody who is on the queue now. */
export const wakeUp = (context: ProgramContext, queue: string): Routine =>
  order(taskCommand('Wake', context, queue));

/** May the task that runs on a CPU be preempted now? Spinlocks disable preemption, as interrupts off do. */
export function preemptible(view: View, cpu: number, task: number): boolean {
  if (view(cpusKey)[cpu]?.irqsOff !== 0) return false;
  if (view(tasksKey)[task]?.preemptCount !== 0) return false;
  const locks = view(locksKey);
  for (const name in locks) if (locks[name] === cpu) return false;
  return true;
}

/** Is the task in a section that must not sleep? */
export const inAtomicSection = (view: View, cpu: number, task: number): boolean =>
  !preemptible(view, cpu, task);
