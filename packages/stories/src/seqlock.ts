import { awaitUntil, merge } from '@tablewalk/contracts';
import type { Program, ProgramContext } from '@tablewalk/contracts';
import type { PlayTask } from '@tablewalk/machine';
import { movedOf, movedSlices, neighbours } from './alike.ts';
import type { ModelStory } from './story.ts';
import { TicketLock } from './ticket-lock.ts';
import { Variable, variables } from './variable.ts';

const RULE = 'a reader accepts a pair of which each half is from another writer';

/**
 * A sequence lock: writers make a counter odd, write, and make it even again; a reader that saw the same even
 * number before and after has read what belongs together (include/linux/seqlock.h; H.-J. Boehm, "Can seqlocks
 * get along with programming language memory models?", MSPC 2012). Without the first increment the reader
 * sees no difference while a writer is at work. Only sequentially consistent outcomes are looked for.
 */
export const seqlock: ModelStory = {
  kind: 'model',
  id: 'seqlock',
  title: 'Sequence lock: a reader accepts a torn pair',
  source: 'include/linux/seqlock.h; Boehm, MSPC 2012',
  about:
    'Writers, one at a time by a ticket lock, write the same number into both halves of a pair. Readers ' +
    'read the halves one after the other, and again if the sequence counter says so.',
  knobs: { writers: 2, readers: 2 },
  variants: {
    repaired: { verdict: 'holds', what: 'the counter is incremented before the pair is written, and after' },
    broken: { verdict: 'violated', what: 'the first increment is left out', rule: RULE },
  },
  survivors: [
    {
      named: /^story\/writer step 5, Store: after the next$/,
      why: 'the right half is written before the left one: the counter is odd during both, and no reader accepts',
    },
    {
      named: /^story\/reader step 1, while a writer is at work: /,
      why: 'the wait only spares readers a vain attempt: each looks itself whether the number it has loaded is odd',
    },
    {
      named: /^story\/reader step 6, Store: dropped$/,
      why: 'a reader that tells nobody what it has accepted: the rule looks at what was told',
    },
  ],
  build(variant, { writers = 2, readers = 2 }) {
    const lock = new TicketLock();
    const seq = new Variable('seq', [0]);
    const halves = [new Variable('left', [0]), new Variable('right', [0])];
    const accepted = variables('accepted', readers, () => [0, 0]);
    const [left, right] = halves as [Variable, Variable];

    function* writer({ args: [value = 0] }: ProgramContext): Program {
      const ticket = yield* lock.draw();
      yield* lock.wait(ticket);
      const sequence = yield* seq.load();
      if (variant !== 'broken') yield* seq.store(sequence + 1);
      yield* left.store(value);
      yield* right.store(value);
      yield* seq.store(variant === 'broken' ? sequence + 1 : sequence + 2);
      yield* lock.unlock(ticket);
    }

    function* reader({ args: [own = 0] }: ProgramContext): Program {
      for (;;) {
        yield* merge('begin');
        yield* awaitUntil('while a writer is at work', (view) => seq.at(view) % 2 === 0);
        const sequence = yield* seq.load();
        if (sequence % 2 === 1) continue;
        const pair = [yield* left.load(), yield* right.load()];
        if ((yield* seq.load()) !== sequence) continue;
        yield* merge('accept', pair);
        yield* (accepted[own] as Variable).storeAll(pair);
        return;
      }
    }

    const shared = [seq, ...halves];
    const task = (name: string, number: number, cpu: number, touched: readonly Variable[]): PlayTask => ({
      name: `${name} ${number}`,
      cpu,
      program: `story/${name}`,
      args: [name === 'writer' ? number + 1 : number],
      touches: touched.map((variable) => variable.name),
    });
    return {
      cpus: writers + readers,
      components: [...lock.variables, ...shared, ...accepted].map(({ named }) => named),
      programs: { 'story/writer': writer, 'story/reader': reader },
      play: {
        scene: [],
        tasks: [
          ...Array.from({ length: writers }, (_, i) => task('writer', i, i, [...lock.variables, ...shared])),
          ...accepted.map((own, i) => task('reader', i, writers + i, [...shared, own])),
        ],
        never: accepted.map((own) => ({ rule: RULE, when: (view) => own.at(view, 0) !== own.at(view, 1) })),
      },
      symmetries: neighbours(readers).map((to) => ({
        name: `readers ${movedOf(to)}`,
        slices: movedSlices(accepted, to),
        tasks: Object.fromEntries(to.map((other, own) => [writers + own, writers + other])),
      })),
    };
  },
};
