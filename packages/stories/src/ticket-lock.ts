import { awaitUntil, merge } from '@tablewalk/contracts';
import type { Program, Routine } from '@tablewalk/contracts';
import { movedOf, neighbours } from './alike.ts';
import type { ModelStory } from './story.ts';
import { Variable } from './variable.ts';

const RULE = 'two tasks are in the critical section';

/** Draw a number, wait until it is served (arch_spinlock_t of Linux: `next` and `owner`). */
export class TicketLock {
  readonly next = new Variable('next', [0]);
  readonly owner = new Variable('owner', [0]);
  readonly variables = [this.next, this.owner];

  draw(): Routine<number> {
    return this.next.swap((ticket) => ticket + 1);
  }
  /** What forgets that others draw too: a load, and a store. */
  *drawInTwoSteps(): Routine<number> {
    const ticket = yield* this.next.load();
    yield* this.next.store(ticket + 1);
    return ticket;
  }
  wait(ticket: number): Routine {
    return awaitUntil(`for ticket ${ticket}`, (view) => this.owner.at(view) === ticket);
  }
  /** Only its holder writes `owner`: no atomic increment is needed. */
  unlock(ticket: number): Routine {
    return this.owner.store(ticket + 1);
  }
}

/**
 * A ticket lock: first come, first served (D. P. Reed and R. K. Kanodia, "Synchronization with eventcounts
 * and sequencers", CACM 22(2), 1979; arch/arm/include/asm/spinlock.h). Drawing must be one atomic step: two
 * tasks that load the same number enter together.
 */
export const ticketLock: ModelStory = {
  kind: 'model',
  id: 'ticket-lock',
  title: 'Ticket lock: two tasks draw the same number',
  source: 'Reed and Kanodia, CACM 22(2), 1979; arch/arm/include/asm/spinlock.h',
  about: 'Tasks draw a number, wait until it is served, and serve the next when they leave.',
  knobs: { tasks: 3, rounds: 2 },
  variants: {
    repaired: { verdict: 'holds', what: 'draws by an atomic increment' },
    broken: { verdict: 'violated', what: 'draws by a load and a store', rule: RULE },
  },
  survivors: [
    {
      named: /step 5, Store: after the next$/,
      why: 'it draws its next number before it serves the next: that number comes after all that others wait for',
    },
  ],
  build(variant, { tasks: count = 3, rounds = 2 }) {
    const lock = new TicketLock();
    const inside = new Variable('inside', [0]);
    const known = [...lock.variables, inside];

    function* customer(): Program {
      for (let round = 0; round < rounds; round++) {
        yield* merge('round', [round]);
        const ticket = yield* variant === 'broken' ? lock.drawInTwoSteps() : lock.draw();
        yield* merge('drawn', [round, ticket]);
        yield* lock.wait(ticket);
        yield* inside.swap((tasks) => tasks + 1);
        yield* inside.swap((tasks) => tasks - 1);
        yield* merge('done', [round, ticket]);
        yield* lock.unlock(ticket);
      }
    }

    return {
      cpus: count,
      components: known.map(({ named }) => named),
      programs: { 'story/customer': customer },
      play: {
        scene: [],
        tasks: Array.from({ length: count }, (_, task) => ({
          name: `task ${task}`,
          cpu: task,
          program: 'story/customer',
          args: [],
          touches: known.map(({ name }) => name),
        })),
        never: [{ rule: RULE, when: (view) => inside.at(view) > 1 }],
      },
      symmetries: neighbours(count).map((to) => ({ name: `tasks ${movedOf(to)}`, tasks: { ...to } })),
    };
  },
};
