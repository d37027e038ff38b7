import { digestOf, present } from '@tablewalk/base';
import type { AnyComponent, RecordedFact, SliceKey, View } from '@tablewalk/contracts';
import { produce } from 'immer';

/** A component and the name of its slice: a slot, a checker's id, or a name of the kernel's own. */
export interface NamedComponent {
  readonly name: string;
  readonly component: AnyComponent;
}

/**
 * Everything that a history determines. `facts` says how many are folded in, `clocks` are cycles by
 * CPU, `now` and `lastCpu` are time and CPU of the last fact that a CPU caused (-1: none yet).
 */
export interface World {
  facts: number;
  now: number;
  lastCpu: number;
  clocks: number[];
  slices: Record<string, unknown>;
}

/**
 * Facts to worlds. `evolve` is written once and runs two ways: `immutable` gives a new world that
 * shares what did not change; `direct` writes a world that nobody else holds. A property test over
 * every plugin holds them together.
 */
export class Fold {
  private readonly targets = new Map<string, NamedComponent[]>();

  constructor(
    private readonly components: readonly NamedComponent[],
    private readonly cpus: number,
  ) {
    for (const target of components)
      for (const type of target.component.evolvesOn) {
        const known = this.targets.get(type);
        if (known === undefined) this.targets.set(type, [target]);
        else known.push(target);
      }
  }

  initial(): World {
    const slices: Record<string, unknown> = {};
    for (const { name, component } of this.components) slices[name] = component.initial();
    return { facts: 0, now: 0, lastCpu: -1, clocks: Array.from({ length: this.cpus }, () => 0), slices };
  }

  direct(world: World, recorded: RecordedFact): void {
    const targets = this.targets.get(recorded.fact.type);
    if (targets !== undefined)
      for (let i = 0; i < targets.length; i++) {
        const { name, component } = targets[i] as NamedComponent;
        component.evolve(world.slices[name], recorded.fact, recorded);
      }
    if (recorded.cpu >= 0) {
      world.now = world.clocks[recorded.cpu] = recorded.time;
      world.lastCpu = recorded.cpu;
    }
    world.facts = recorded.seq + 1;
  }

  immutable(world: World, recorded: RecordedFact): World {
    const targets = this.targets.get(recorded.fact.type);
    let slices = world.slices;
    if (targets !== undefined) {
      slices = { ...slices };
      for (const { name, component } of targets)
        slices[name] = produce(slices[name], (draft: unknown) => {
          component.evolve(draft, recorded.fact, recorded);
        });
    }
    const { seq, cpu, time } = recorded;
    if (cpu < 0) return { ...world, facts: seq + 1, slices };
    return { facts: seq + 1, now: time, lastCpu: cpu, clocks: world.clocks.with(cpu, time), slices };
  }
}

/** A view that always looks at the world that `current` answers. */
export function viewOf(current: () => World): View {
  return <S>(key: SliceKey<S>): S => present(current().slices[key.name], `slice ${key.name}`) as S;
}

/** A private copy, for `direct`. */
export const copyWorld = (world: World): World => structuredClone(world);

export const worldDigest = (world: World): string => digestOf(world);
