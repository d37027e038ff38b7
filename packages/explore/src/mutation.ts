import { InvariantError, present } from '@tablewalk/base';
import type {
  Action,
  AnyComponent,
  Command,
  Fact,
  Program,
  ProgramContext,
  Step,
  VisibleStep,
} from '@tablewalk/contracts';
import type { NamedComponent } from '@tablewalk/machine';
import type { Staged } from '@tablewalk/stories';
import { explore, spaceOf } from './explore.ts';
import type { Explorable } from './explore.ts';
import { exhaustive } from './strategies/exhaustive.ts';

/** A program with one step less, or with two neighbours in the other order; or a move that writes one thing less. */
export interface Mutant {
  /** Program or actor, number of the step, and what was done to it. */
  readonly name: string;
  readonly staged: Staged;
}

export interface MutantVerdict {
  readonly name: string;
  /** `crashed`: an assertion of the simulated kernel failed. `unfinished`: the budget was not enough. */
  readonly verdict: 'caught' | 'crashed' | 'survived' | 'unfinished';
  /** The rule that was violated, or what the assertion said. */
  readonly by?: string;
}

/** States that are enough for a mutant: one that makes a story endless is caught sooner, or never. */
const MUTANT_STATES = 300_000;

/**
 * Explores every single-step mutation of the programs under test of a variant that holds. What no exploration
 * catches is either no bug (the step does not matter here), or shows what the story cannot see.
 */
export function mutate(story: Explorable, onMutant?: (verdict: MutantVerdict) => void): MutantVerdict[] {
  return mutantsOf(story).map((mutant) => {
    const verdict = judge(story, mutant);
    onMutant?.(verdict);
    return verdict;
  });
}

function judge(story: Explorable, { name, staged }: Mutant): MutantVerdict {
  try {
    const { verdict, rules } = explore(story.restaged(staged), {
      maxStates: MUTANT_STATES,
      // What was alike is so no longer where one of them is changed.
      symmetry: false,
    });
    if (verdict === 'holds') return { name, verdict: 'survived' };
    if (verdict === 'unfinished') return { name, verdict };
    return { name, verdict: 'caught', by: present(rules[0], 'rule') };
  } catch (error) {
    if (!(error instanceof InvariantError)) throw error;
    return { name, verdict: 'crashed', by: error.message };
  }
}

export function mutantsOf(story: Explorable): Mutant[] {
  const { staged } = story;
  const factsOf = new Map<Command, number>();
  const counting = deciding(staged, (command, facts) => {
    factsOf.set(command, Math.max(factsOf.get(command) ?? 0, facts.length));
    return facts;
  });
  const space = spaceOf(story.restaged(counting));
  exhaustive(space, { partialOrder: false, symmetry: false });
  const tasksOwn = staged.play.tasks.map(({ program }) => program);
  const programs = [...new Set(staged.underTest?.filter((name) => name in staged.programs) ?? tasksOwn)];
  return [
    ...programs.flatMap((program) => programMutants(staged, program, [...space.graph.placesOf(program)])),
    ...space.actions.flatMap((action) => actionMutants(staged, action, factsOf.get(action.command) ?? 0)),
  ];
}

// Programs.

/** Only a step whose program learns nothing from it can be left out, or put off. */
const observesNothing = (step: VisibleStep): boolean =>
  step.kind === 'await' || (step.kind === 'issue' && step.pick === undefined);

function programMutants(
  staged: Staged,
  name: string,
  places: readonly { readonly step: VisibleStep; readonly depth: number }[],
): Mutant[] {
  const program = present(staged.programs[name], `program ${name}`);
  const byDepth = new Map<number, VisibleStep>();
  for (const { step, depth } of places)
    if (observesNothing(step) && !byDepth.has(depth)) byDepth.set(depth, step);
  const last = Math.max(-1, ...places.map(({ depth }) => depth));
  return [...byDepth]
    .sort(([a], [b]) => a - b)
    .flatMap(([depth, step]) => {
      const mutant = (what: string, changed: Routed): Mutant => ({
        name: `${name} step ${depth + 1}, ${stepName(step)}: ${what}`,
        staged: { ...staged, programs: { ...staged.programs, [name]: changed } },
      });
      const dropped = mutant('dropped', (context) => withoutStep(program(context), depth));
      if (depth === last) return [dropped];
      return [dropped, mutant('after the next', (context) => swapped(program(context), depth))];
    });
}
type Routed = (context: ProgramContext) => Program;

const stepName = (step: VisibleStep): string =>
  step.kind === 'issue' ? words(step.command) : step.kind === 'await' ? step.reason : 'read';
const words = ({ type, ...rest }: Command): string => {
  const { lock } = rest as { readonly lock?: string };
  return lock === undefined ? type : `${type} ${lock}`;
};

function* withoutStep(program: Program, dropped: number): Program {
  let result = program.next();
  for (let taken = 0; result.done !== true;) {
    const step = result.value;
    if (step.kind === 'merge') result = program.next(yield* claim(step, taken, dropped));
    else if (taken++ === dropped && observesNothing(step)) result = program.next([]);
    else result = program.next(yield step);
  }
}

function* swapped(program: Program, first: number): Program {
  let result = program.next();
  for (let taken = 0; result.done !== true;) {
    const step = result.value;
    if (step.kind === 'merge') result = program.next(yield* claim(step, taken, first));
    else if (taken++ !== first || !observesNothing(step)) result = program.next(yield step);
    else {
      result = program.next([]);
      while (result.done !== true && result.value.kind === 'merge') result = program.next([]);
      const reply = result.done === true ? [] : yield result.value;
      yield step;
      if (result.done !== true) result = program.next(reply);
      taken += 1;
    }
  }
}

/** What comes after a claim depends on whether the mutation is still to come, too. */
function* claim(step: Extract<Step, { kind: 'merge' }>, taken: number, mutated: number): Claim {
  return yield { ...step, live: [...step.live, Math.min(taken, mutated + 1)] };
}
type Claim = Generator<Step, readonly number[], readonly number[]>;

// Moves.

/** A move that does all but one of the things that it does. */
function actionMutants(staged: Staged, { actor, label, command }: Action, facts: number): Mutant[] {
  if (staged.underTest?.includes(actor) === false) return [];
  return Array.from({ length: facts }, (_, dropped): Mutant => ({
    name: `${actor}, ${label}: without its fact ${dropped + 1} of ${facts}`,
    staged: deciding(staged, (given, decided) =>
      given === command ? decided.filter((_fact, i) => i !== dropped) : decided,
    ),
  }));
}

/** A stage whose components' decisions pass through somebody's hands. */
function deciding(
  staged: Staged,
  through: (command: Command, facts: readonly Fact[]) => readonly Fact[],
): Staged {
  const components = staged.components.map(({ name, component }): NamedComponent => {
    const decide: AnyComponent['decide'] = (command: Command, state: unknown, env) =>
      through(command, component.decide(command, state, env) as readonly Fact[]);
    return { name, component: { ...component, decide } };
  });
  return { ...staged, components };
}
