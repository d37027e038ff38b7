import { InvariantError } from '@tablewalk/base';
import type { Command, Component, Fact, RecordedFact } from '@tablewalk/contracts';
import { Fold, viewOf } from '@tablewalk/machine';
import type { NamedComponent, World } from '@tablewalk/machine';
import { Subject } from 'rxjs';
import { expect } from 'vitest';
import { deepFreeze } from './plain-data.ts';

/** A fact, or one that a CPU caused. */
export type GivenFact = Fact | { readonly cpu: number; readonly fact: Fact };

/**
 * Examples for a component, as the event-sourced say them:
 *
 *   given('frames', component).facts(allocated(7)).when(free(7)).then(freed(7));
 *   given(ID, checker.component).facts(cleared, freed).heard(staleUse).orders({ to: ID, ... });
 */
export const given = <S, C extends Command, F extends Fact>(
  name: string,
  component: Component<S, C, F>,
): Given<S, C> => new Given(name, component as unknown as Component<S, C>);

export class Given<S, C extends Command> {
  private world: World;
  private readonly fold: Fold;

  constructor(
    private readonly name: string,
    private readonly component: Component<S, C>,
    cpus = 4,
    others: readonly NamedComponent[] = [],
  ) {
    this.fold = new Fold([{ name, component }, ...others], cpus);
    this.world = deepFreeze(this.fold.initial());
  }

  /** The world has come to this. */
  facts(...facts: readonly GivenFact[]): this {
    for (const each of facts) this.world = deepFreeze(this.fold.immutable(this.world, this.recorded(each)));
    return this;
  }

  get state(): S {
    return this.world.slices[this.name] as S;
  }

  holds(state: S): this {
    expect(this.state).toEqual(state);
    return this;
  }

  when(command: C, cpu = 0): Decided {
    const env = { cpu, view: viewOf(() => this.world), below: () => 0 };
    try {
      return new Decided(this.component.decide(command, this.state, env), undefined);
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error;
      return new Decided([], error.message);
    }
  }

  /** One more fact, and what its reaction orders. */
  heard(fact: GivenFact): Ordered {
    const recorded = this.recorded(fact);
    this.world = deepFreeze(this.fold.immutable(this.world, recorded));
    const facts$ = new Subject<RecordedFact>();
    const orders: Command[] = [];
    const subscription = this.component
      .react?.(
        facts$,
        viewOf(() => this.world),
      )
      .subscribe((order) => orders.push(order));
    facts$.next(recorded);
    subscription?.unsubscribe();
    return new Ordered(orders);
  }

  private recorded(given: GivenFact): RecordedFact {
    const { cpu, fact } = 'fact' in given ? given : { cpu: -1, fact: given };
    return deepFreeze({ seq: this.world.facts, by: 'test', cpu, time: this.world.facts, stimulus: 0, fact });
  }
}

export class Decided {
  constructor(
    readonly facts: readonly Fact[],
    private readonly refusal: string | undefined,
  ) {}

  then(...facts: readonly Fact[]): void {
    expect(this.refusal).toBeUndefined();
    expect(this.facts).toEqual(facts);
  }

  refused(message: string | RegExp): void {
    expect(this.refusal ?? 'not refused').toMatch(message);
  }
}

export class Ordered {
  constructor(readonly orders: readonly Command[]) {}

  gives(...orders: readonly Command[]): void {
    expect(this.orders).toEqual(orders);
  }
}
