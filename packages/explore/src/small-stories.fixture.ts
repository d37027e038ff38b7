import { awaitUntil, merge } from '@tablewalk/contracts';
import type { Program } from '@tablewalk/contracts';
import { Variable } from '@tablewalk/stories';
import type { ModelStory, Staged, Symmetry } from '@tablewalk/stories';

/** Small programs whose schedules can be listed on paper. */
export interface SmallTask {
  readonly program: () => Program;
  readonly touches?: readonly string[];
}

export function small(
  variables: readonly Variable[],
  tasks: readonly SmallTask[],
  more: { readonly symmetries?: readonly Symmetry[]; readonly never?: Staged['play']['never'] } = {},
): ModelStory {
  const staged = (): Staged => ({
    cpus: tasks.length,
    components: variables.map(({ named }) => named),
    programs: Object.fromEntries(tasks.map(({ program }, i) => [`story/${i}`, program])),
    play: {
      scene: [],
      tasks: tasks.map(({ touches }, cpu) => ({
        name: `task ${cpu}`,
        cpu,
        program: `story/${cpu}`,
        args: [],
        ...(touches === undefined ? {} : { touches }),
      })),
      ...(more.never === undefined ? {} : { never: more.never }),
    },
    ...(more.symmetries === undefined ? {} : { symmetries: more.symmetries }),
  });
  return {
    kind: 'model',
    id: 'small',
    title: 'small',
    source: 'none',
    about: 'small',
    variants: { only: { verdict: 'holds', what: 'the only one' } },
    build: staged,
  };
}

/** Two tasks add one to a variable, each by a load and a store: 1 or 2 comes out (Dekker's example). */
export function lostUpdate(touches?: readonly string[]): ModelStory {
  const x = new Variable('x', [0]);
  const increment = {
    *program(): Program {
      const old = yield* x.load();
      yield* x.store(old + 1);
    },
    ...(touches === undefined ? {} : { touches }),
  };
  return small([x], [increment, increment]);
}

/** Store buffering: sequentially consistent, so both tasks cannot read 0. */
export function storeBuffering(): ModelStory {
  const [x, y, r0, r1] = ['x', 'y', 'r0', 'r1'].map((name) => new Variable(name, [0])) as [
    Variable,
    Variable,
    Variable,
    Variable,
  ];
  const task = (mine: Variable, theirs: Variable, seen: Variable) => ({
    *program(): Program {
      yield* mine.store(1);
      yield* seen.store(yield* theirs.load());
    },
  });
  return small([x, y, r0, r1], [task(x, y, r0), task(y, x, r1)]);
}

/** Each task works on variables of its own, and then both meet: most orders do not matter. */
export function mostlyPrivate(steps: number): ModelStory {
  const own = [new Variable('own 0', [0]), new Variable('own 1', [0])];
  const meeting = new Variable('meeting', [0]);
  const task = (mine: Variable, number: number) => ({
    *program(): Program {
      for (let step = 1; step <= steps; step++) yield* mine.store(step);
      yield* meeting.swap((before) => before * 2 + number);
    },
  });
  return small([...own, meeting], [task(own[0] as Variable, 1), task(own[1] as Variable, 2)]);
}

/**
 * A task reads a bit that another writes, claims that nothing of it matters any more, and tells it after all.
 * `live` says whether the claim names the bit.
 */
export function claimed(live: 'honest' | 'wrong'): ModelStory {
  const bit = new Variable('bit', [0]);
  const told = new Variable('told', [0]);
  const writer = {
    *program(): Program {
      yield* bit.store(1);
    },
  };
  const reader = {
    *program(): Program {
      const seen = yield* bit.load();
      yield* merge('seen', live === 'honest' ? [seen] : []);
      yield* awaitUntil('the writer is done', (view) => bit.at(view) === 1);
      yield* told.store(seen);
    },
  };
  return small([bit, told], [writer, reader]);
}
