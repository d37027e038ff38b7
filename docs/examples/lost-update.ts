import type { Program } from '@tablewalk/contracts';
import { Variable } from '@tablewalk/stories';
import type { ModelStory } from '@tablewalk/stories';

/** A story of your own: `tablewalk explore ./docs/examples/lost-update.ts`. Two CPUs count a page's users. */
const story: ModelStory = {
  kind: 'model',
  id: 'lost-update',
  title: 'A page count that two CPUs raise without an atomic instruction',
  source: 'the textbook; Linux has atomic_inc for it',
  about: 'Each CPU loads the count, adds one, and stores it.',
  variants: {
    broken: { verdict: 'violated', what: 'a load and a store', rule: 'a user of the page is not counted' },
    repaired: { verdict: 'holds', what: 'one atomic step' },
  },
  build(variant) {
    const count = new Variable('count', [0]);
    const done = new Variable('done', [0]);
    function* user(): Program {
      if (variant === 'repaired') yield* count.swap((users) => users + 1);
      else yield* count.store((yield* count.load()) + 1);
      yield* done.swap((users) => users + 1);
    }
    return {
      cpus: 2,
      components: [count.named, done.named],
      programs: { 'story/user': user },
      play: {
        scene: [],
        tasks: [0, 1].map((cpu) => ({ name: `user ${cpu}`, cpu, program: 'story/user', args: [] })),
        never: [
          { rule: 'a user of the page is not counted', when: (view) => count.at(view) < done.at(view) },
        ],
      },
    };
  },
};
export default story;
