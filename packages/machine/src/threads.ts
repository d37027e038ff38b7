import { present } from '@tablewalk/base';
import { cpusKey } from '@tablewalk/contracts';
import type { Programs, View } from '@tablewalk/contracts';
import { LiveThread, revive } from './thread.ts';

/** The live threads of every CPU, innermost last: a cache over the stacks of the slice `cpus`. */
export class Threads {
  private readonly live: LiveThread[][];

  constructor(
    private readonly programs: Programs,
    private readonly view: View,
    cpus: number,
  ) {
    this.live = Array.from({ length: cpus }, () => []);
  }

  /** The innermost thread of a CPU, revived from its log when it has not run here before. */
  top(cpu: number): LiveThread | undefined {
    const { stack } = present(this.view(cpusKey)[cpu], 'cpu');
    const live = this.of(cpu);
    for (let depth = live.length; depth < stack.length; depth++)
      live.push(revive(this.programs, cpu, present(stack[depth], 'thread')));
    return live.at(-1);
  }

  start(cpu: number, program: string, args: readonly number[]): LiveThread {
    const thread = new LiveThread(this.programs, cpu, { program, args });
    this.of(cpu).push(thread);
    return thread;
  }

  finish(cpu: number): void {
    this.of(cpu).pop();
  }

  private of(cpu: number): LiveThread[] {
    return present(this.live[cpu], 'cpu');
  }
}
