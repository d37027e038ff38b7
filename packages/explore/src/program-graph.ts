import { CodedError, present } from '@tablewalk/base';
import type { ProgramContext, Programs, Reply, VisibleStep } from '@tablewalk/contracts';
import { contextOf, LiveThread } from '@tablewalk/machine';
import type { PlayTask } from '@tablewalk/machine';

/** Where every thread that has ended is. */
export const ENDED = 0;

/**
 * A place in a program. Its step comes from a generator that waits here and is never fed again, so what the
 * step's closures have captured stays as it was.
 */
interface Place {
  readonly root: Root;
  /** How it is reached from the root: the last reply, and the place before. */
  readonly before: number;
  readonly reply: Reply;
  /** Steps from the root to here. */
  readonly steps: number;
  readonly step: VisibleStep;
  /** The claim by which it was reached, if one was made. */
  readonly claim: string | undefined;
  readonly next: Map<string, number>;
  /** The place after a reply of nothing, which most replies are. */
  afterNothing: number;
}

interface Root {
  readonly key: string;
  readonly program: string;
  readonly context: ProgramContext;
  /** Places by claim: label and live numbers. */
  readonly merged: Map<string, number>;
  place: number;
}

/** The beginning of a program, or what was observed at a place. */
export type Origin =
  | { readonly program: string; readonly context: ProgramContext }
  | { readonly before: number; readonly reply: Reply };

/**
 * Programs as graphs, unfolded as far as they are needed: a place is a thread's log of observations, and a reply
 * leads to the next. An edge that was never taken costs a fresh generator that is fed the log. Threads that have
 * ended, or that claim the same by a merge, are in the same place.
 *
 * Numbers of places are of this process: schedules, never places, go into files.
 */
export class ProgramGraph {
  private readonly places: (Place | undefined)[] = [undefined];
  private readonly roots = new Map<string, Root>();

  constructor(
    private readonly programs: Programs,
    private readonly merging: boolean,
  ) {}

  get size(): number {
    return this.places.length;
  }

  /** Where a program begins; `ENDED` when it takes no step at all. */
  root(program: string, context: ProgramContext): number {
    const key = `${program} ${context.cpu} ${context.task ?? ''} ${context.args.join()}`;
    let root = this.roots.get(key);
    if (root === undefined) {
      root = { key, program, context, merged: new Map(), place: ENDED };
      this.roots.set(key, root);
      root.place = this.arrive(new LiveThread(this.programs, context, program), root, ENDED, [], 0);
    }
    return root.place;
  }

  /** Every place of a program that was reached, with the number of steps before it. */
  *placesOf(program: string): Generator<{ readonly step: VisibleStep; readonly depth: number }> {
    for (let place = 1; place < this.places.length; place++) {
      const { root, step } = this.at(place);
      if (root.program === program) yield { step, depth: this.log(place).length };
    }
  }

  /**
   * What a place is, the same in every process: where the program begins, the last claim on the way, and
   * what was observed since.
   */
  key(place: number): string {
    if (place === ENDED) return '';
    const replies: string[] = [];
    for (let at = place; ;) {
      const { root, before, reply, claim } = this.at(at);
      if (claim !== undefined || at === root.place)
        return [root.key, claim ?? '', ...replies.reverse()].join(' | ');
      replies.push(reply.join());
      at = before;
    }
  }

  /** How a place was first reached. */
  origin(place: number): Origin {
    const { root, before, reply } = this.at(place);
    return place === root.place ? { program: root.program, context: root.context } : { before, reply };
  }

  step(place: number): VisibleStep {
    return this.at(place).step;
  }

  next(place: number, reply: Reply): number {
    const from = this.at(place);
    if (reply.length === 0) {
      if (from.afterNothing < 0) from.afterNothing = this.extend(from, place, reply);
      return from.afterNothing;
    }
    const key = reply.join();
    let next = from.next.get(key);
    if (next === undefined) from.next.set(key, (next = this.extend(from, place, reply)));
    return next;
  }

  /** The place that a task's thread would be in, had it observed what this one did: for tasks that are alike. */
  counterpart(place: number, task: PlayTask, number: number): number {
    const { cpu, program, args } = task;
    let at = this.root(program, contextOf(cpu, number, args, false));
    for (const reply of this.log(place)) at = this.next(at, reply);
    return at;
  }

  /** What the thread has observed, one reply a step. Threads that merged share the log of the first. */
  log(place: number): Reply[] {
    const replies: Reply[] = [];
    for (let at = place; at !== ENDED;) {
      const { before, reply, root } = this.at(at);
      if (at === root.place) break;
      replies.push(reply);
      at = before;
    }
    return replies.reverse();
  }

  private extend({ root, steps }: Place, place: number, reply: Reply): number {
    if (steps >= STEPS_MAX) throw endless(root);
    const live = new LiveThread(this.programs, root.context, root.program);
    for (const earlier of this.log(place)) live.feed(earlier);
    live.feed(reply);
    return this.arrive(live, root, place, reply, steps + 1);
  }

  private arrive(
    { step, merged }: LiveThread,
    root: Root,
    before: number,
    reply: Reply,
    steps: number,
  ): number {
    if (step === undefined) return ENDED;
    const claim = this.merging && merged !== undefined ? `${merged.label} ${merged.live.join()}` : undefined;
    const known = claim === undefined ? undefined : root.merged.get(claim);
    if (known !== undefined) return known;
    const place = this.places.length;
    this.places.push({ root, before, reply, steps, step, claim, next: new Map(), afterNothing: -1 });
    if (claim !== undefined) root.merged.set(claim, place);
    return place;
  }

  private at(place: number): Place {
    return present(this.places[place], `place ${place} of a program`);
  }
}

/** Steps of one thread without coming to a place where it was before. No routine of a kernel is so long. */
const STEPS_MAX = 2048;

const endless = ({ program }: Root): CodedError =>
  new CodedError('EXPLORE_ENDLESS_PROGRAM', {
    what: `program ${program} took ${STEPS_MAX} steps and is nowhere that it was before`,
    why: 'a thread is what it observed: a loop that observes goes on to new states for ever',
    fix: 'wait with awaitUntil in place of a spin loop, or claim with merge(label, live) what still matters',
  });
