import { awaitUntil, merge } from '@tablewalk/contracts';
import type { Program, ProgramContext, View } from '@tablewalk/contracts';
import type { ModelStory } from './story.ts';
import { Variable, variables } from './variable.ts';

const RULE = 'two tasks are in the critical section';

/**
 * Mutual exclusion of two tasks by loads and stores alone (G. L. Peterson, "Myths about the mutual exclusion
 * problem", Information Processing Letters 12(3), 1981). Raise your flag, then give way; wait while the other
 * has its flag up and it is the other's turn. Only sequentially consistent outcomes are looked for:
 * `reordered` does by hand what a store buffer would do. The two loads of the wait are one look here.
 */
export const peterson: ModelStory = {
  kind: 'model',
  id: 'peterson',
  title: 'Peterson: mutual exclusion of two tasks',
  source: 'G. L. Peterson, Information Processing Letters 12(3), 1981',
  about: 'Two tasks want the critical section, several times each. They have two flags and a turn.',
  knobs: { rounds: 2 },
  variants: {
    repaired: { verdict: 'holds', what: 'raises its flag, and then gives way' },
    reordered: { verdict: 'violated', what: 'gives way, and then raises its flag', rule: RULE },
    'no-turn': { verdict: 'violated', what: 'raises its flag and gives way to nobody', rule: 'deadlock' },
  },
  survivors: [
    {
      named: /step 6, Store: dropped$/,
      why: 'a flag left up between two rounds: the next round raises it anyway, and gives way before it waits',
    },
  ],
  build(variant, { rounds = 2 }) {
    const flags = variables('flag', 2);
    const turn = new Variable('turn', [0]);
    const inside = new Variable('inside', [0]);
    const known = [...flags, turn, inside];

    function* contender({ args: [own = 0] }: ProgramContext): Program {
      const [mine, theirs] = [flags[own], flags[1 - own]] as [Variable, Variable];
      const isMyTurn = (view: View): boolean => variant !== 'no-turn' && turn.at(view) === own;
      for (let round = 0; round < rounds; round++) {
        yield* merge('round', [round]);
        if (variant === 'reordered') yield* turn.store(1 - own);
        yield* mine.store(1);
        if (variant === 'repaired') yield* turn.store(1 - own);
        yield* awaitUntil('for its turn', (view) => theirs.at(view) === 0 || isMyTurn(view));
        yield* inside.swap((tasks) => tasks + 1);
        yield* inside.swap((tasks) => tasks - 1);
        yield* mine.store(0);
      }
    }

    return {
      cpus: 2,
      components: known.map(({ named }) => named),
      programs: { 'story/contender': contender },
      play: {
        scene: [],
        tasks: flags.map((_, own) => ({
          name: `task ${own}`,
          cpu: own,
          program: 'story/contender',
          args: [own],
          touches: known.map(({ name }) => name),
        })),
        never: [{ rule: RULE, when: (view) => inside.at(view) > 1 }],
      },
    };
  },
};
