import { assert, present } from '@tablewalk/base';
import type {
  MergeStep,
  ProgramContext,
  Programs,
  Reply,
  Routine,
  ThreadState,
  VisibleStep,
} from '@tablewalk/contracts';

/**
 * A thread that can be stepped: a generator, and the step it waits at. It is a cache only. The
 * thread is its log: `revive` gives the same place from a fresh generator. Merges are passed over:
 * they observe nothing, so that a log holds none.
 */
export class LiveThread {
  private readonly generator: Routine<void>;
  /** The step to take next; undefined when the program has ended. */
  step: VisibleStep | undefined;
  /** The last claim that was passed on the way to `step`, if any. */
  merged: MergeStep | undefined;
  /** Replies fed so far; equals the length of the stored log. */
  fed = 0;

  constructor(programs: Programs, context: ProgramContext, name: string) {
    const program = present(programs[name], `program ${name}`);
    this.generator = program(context);
    this.accept(this.generator.next());
  }

  feed(reply: Reply): void {
    this.fed += 1;
    this.accept(this.generator.next(reply));
  }

  private accept(result: ReturnType<Routine<void>['next']>): void {
    this.merged = undefined;
    while (result.done !== true && result.value.kind === 'merge') {
      this.merged = result.value;
      result = this.generator.next(NOTHING);
    }
    this.step = result.done === true ? undefined : (result.value as VisibleStep);
  }
}

const NOTHING: Reply = [];

export function revive(programs: Programs, context: ProgramContext, thread: ThreadState): LiveThread {
  const live = new LiveThread(programs, context, thread.program);
  for (const reply of thread.log) {
    assert(live.step !== undefined, `thread ${thread.program} ended before its log did: not deterministic`);
    live.feed(reply);
  }
  return live;
}
