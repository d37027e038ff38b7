import { issue, order, read, sliceKey } from '@tablewalk/contracts';
import type { Action, Command, Component, Fact, Routine, View } from '@tablewalk/contracts';
import type { NamedComponent } from '@tablewalk/machine';

/**
 * For stories that state their world themselves: shared variables, and moves of actors that read and write
 * them in one atomic step. A variable is a component whose slice is a list of natural numbers; writing it is
 * a fact of its own type. Small variables make small states: give each CPU, page or slot one of its own.
 */
export class Variable {
  readonly named: NamedComponent;
  private readonly key;

  constructor(
    readonly name: string,
    initial: readonly number[],
  ) {
    this.key = sliceKey<number[]>(name);
    this.named = { name, component: variableComponent(name, initial) };
  }

  /** The value: never write it. */
  all(view: View): readonly number[] {
    return view(this.key);
  }
  at(view: View, index = 0): number {
    return view(this.key)[index] as number;
  }

  /** A fact: the variable has this value now. */
  becomes(value: readonly number[]): VariableFact {
    return { type: `${this.name} written`, value };
  }

  /** For programs: one atomic read, one atomic write, of a number of it. */
  load(index = 0): Routine<number> {
    return read((view) => this.at(view, index), this.name);
  }
  store(value: number, index = 0): Routine {
    return order(this.command('Store', (now) => now.with(index, value)));
  }
  /** All of it in one atomic write. */
  storeAll(value: readonly number[]): Routine {
    return order(this.command('Store', () => value));
  }
  /** An atomic read-modify-write; answers the old number. */
  *swap(next: (old: number) => number, index = 0): Routine<number> {
    const [old] = yield* issue<SwapFact>(
      this.command('Swap', (now) => now.with(index, next(now[index] as number)), index),
      ([fact]) => [(fact as SwapFact).old],
    );
    return old as number;
  }

  private command(
    type: WriteVariable['type'],
    next: (now: readonly number[]) => readonly number[],
    index = 0,
  ): WriteVariable {
    return { to: this.name, type, next, index };
  }
}

interface WriteVariable extends Command {
  readonly type: 'Store' | 'Swap';
  readonly next: (now: readonly number[]) => readonly number[];
  readonly index: number;
}
export type VariableFact = Fact & { readonly value: readonly number[] };
type SwapFact = VariableFact & { readonly old: number };

function variableComponent(
  name: string,
  initial: readonly number[],
): Component<number[], WriteVariable, VariableFact> {
  const written = `${name} written`;
  const swapped = `${name} swapped`;
  return {
    facts: { [written]: { value: 'us' }, [swapped]: { value: 'us', old: 'u' } },
    evolvesOn: [written, swapped],
    initial: () => [...initial],
    decide({ type, next, index }, state) {
      const value = next(state);
      if (type === 'Store') return [{ type: written, value }];
      return [{ type: swapped, value, old: state[index] } as SwapFact];
    },
    evolve(draft, { value }) {
      for (let i = 0; i < value.length; i++) if (draft[i] !== value[i]) draft[i] = value[i] as number;
    },
  };
}

/** Variables of one kind, a small one for each CPU, page or slot: `tlb[0]`, `tlb[1]`, and so on. */
export const variables = (
  name: string,
  count: number,
  initial: (index: number) => readonly number[] = () => [0],
): readonly Variable[] =>
  Array.from({ length: count }, (_, index) => new Variable(`${name}[${index}]`, initial(index)));

/** Writes of one atomic step in their order; reads see what the step has written so far. */
export class Writes {
  private readonly written = new Map<Variable, number[]>();

  constructor(private readonly view: View) {}

  all(variable: Variable): readonly number[] {
    return this.written.get(variable) ?? variable.all(this.view);
  }
  at(variable: Variable, index = 0): number {
    return this.all(variable)[index] as number;
  }
  put(variable: Variable, value: number, index = 0): void {
    this.putAll(variable, this.all(variable).with(index, value));
  }
  putAll(variable: Variable, value: readonly number[]): void {
    this.written.set(variable, [...value]);
  }
  /** Puts one number everywhere in a variable. */
  fill(variable: Variable, value: number): void {
    this.putAll(
      variable,
      this.all(variable).map(() => value),
    );
  }
  /**
   * One for each variable that was written, also where it stays the same: what a step writes never varies.
   */
  facts(): readonly VariableFact[] {
    return Array.from(this.written, ([variable, value]) => variable.becomes(value));
  }
}

/** The `then` of a move as statements that run without interruption, as d_step of Promela. */
export const atomically =
  (step: (now: Writes) => void) =>
  (view: View): readonly VariableFact[] => {
    const now = new Writes(view);
    step(now);
    return now.facts();
  };

/** A move of an actor: what it needs, and what it writes, in one atomic step. */
export interface Move {
  readonly actor: string;
  readonly label: string;
  readonly when?: (view: View) => boolean;
  readonly then: (view: View) => readonly VariableFact[];
}

/** The component that decides the moves; its own slice is empty. */
export function movesComponent(name: string, moves: readonly Move[]): NamedComponent {
  const actions = moves.map(({ actor, label, when }, move): Action => ({
    actor,
    label,
    command: { to: name, type: 'Move', move } as MoveCommand,
    ...(when === undefined ? {} : { when }),
  }));
  const component: Component<Record<string, never>, MoveCommand, VariableFact> = {
    evolvesOn: [],
    initial: () => ({}),
    decide: ({ move }, _state, { view }) => (moves[move] as Move).then(view),
    evolve() {},
    actions,
  };
  return { name, component };
}
type MoveCommand = Command & { readonly move: number };
