import { present } from '@tablewalk/base';
import { cpusKey } from '@tablewalk/contracts';
import type { ProgramContext, Programs, ThreadState, View } from '@tablewalk/contracts';
import { LiveThread, revive } from './thread.ts';

/**
 * The live threads of every CPU, innermost last: a cache over the stacks of the slice `cpus`. Where a
 * machine has tasks, each has a stack of its own, and the CPU's is that of the task that runs.
 */
export class Threads {
  private readonly live = new Map<number, LiveThread[]>();

  constructor(
    private readonly programs: Programs,
    private readonly view: View,
  ) {}

  /** The innermost thread of a CPU, revived from its log when it has not run here before. */
  top(cpu: number): LiveThread | undefined {
    const { stack } = present(this.view(cpusKey)[cpu], 'cpu');
    return this.reviveAll(cpu, this.runningTask(cpu), stack);
  }

  /** The thread of a task, whether it runs or not. */
  ofTask(cpu: number, task: number): LiveThread | undefined {
    const { task: running, stack, parked } = present(this.view(cpusKey)[cpu], 'cpu');
    return this.reviveAll(cpu, task, running === task ? stack : (parked?.[task] ?? []));
  }

  start(cpu: number, program: string, args: readonly number[], irq: boolean): LiveThread {
    const task = this.runningTask(cpu);
    const thread = new LiveThread(this.programs, contextOf(cpu, task, args, irq), program);
    this.stackOf(cpu, task).push(thread);
    return thread;
  }

  finish(cpu: number): void {
    this.stackOf(cpu, this.runningTask(cpu)).pop();
  }

  private reviveAll(cpu: number, task: number, stack: readonly ThreadState[]): LiveThread | undefined {
    const live = this.stackOf(cpu, task);
    for (let depth = live.length; depth < stack.length; depth++) {
      const thread = present(stack[depth], 'thread');
      live.push(revive(this.programs, contextOf(cpu, task, thread.args, thread.irq), thread));
    }
    return live.at(-1);
  }

  private runningTask(cpu: number): number {
    return present(this.view(cpusKey)[cpu], 'cpu').task ?? -1;
  }

  private stackOf(cpu: number, task: number): LiveThread[] {
    const key = cpu * TASKS_MAX + task + 1;
    let stack = this.live.get(key);
    if (stack === undefined) this.live.set(key, (stack = []));
    return stack;
  }
}
const TASKS_MAX = 4096;

/** What a program is told: an interrupt handler belongs to no task. */
export function contextOf(cpu: number, task: number, args: readonly number[], irq: boolean): ProgramContext {
  return task < 0 || irq ? { cpu, args } : { cpu, args, task };
}
