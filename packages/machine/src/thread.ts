import { assert, present } from '@tablewalk/base';
import type { Programs, Reply, Routine, Step, ThreadState } from '@tablewalk/contracts';

/**
 * A thread that can be stepped: a generator, and the step it waits at. It is a cache only. The
 * thread is its log: `revive` gives the same place from a fresh generator.
 */
export class LiveThread {
  private readonly generator: Routine<void>;
  /** The step to take next; undefined when the program has ended. */
  step: Step | undefined;
  /** Replies fed so far; equals the length of the stored log. */
  fed = 0;

  constructor(programs: Programs, cpu: number, thread: Pick<ThreadState, 'program' | 'args'>) {
    const program = present(programs[thread.program], `program ${thread.program}`);
    this.generator = program({ cpu, args: thread.args });
    this.accept(this.generator.next());
  }

  feed(reply: Reply): void {
    this.fed += 1;
    this.accept(this.generator.next(reply));
  }

  private accept(result: IteratorResult<Step, void>): void {
    this.step = result.done === true ? undefined : result.value;
  }
}

export function revive(programs: Programs, cpu: number, thread: ThreadState): LiveThread {
  const live = new LiveThread(programs, cpu, thread);
  for (const reply of thread.log) {
    assert(live.step !== undefined, `thread ${thread.program} ended before its log did: not deterministic`);
    live.feed(reply);
  }
  return live;
}
