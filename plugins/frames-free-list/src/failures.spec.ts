import type { Fact } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';
import type { FailingState } from './failures.ts';

const machine = { cpus: 1, ramBytes: 2 ** 18, ramBase: 0x8000_0000, seed: 1 };
const frames = manifest.create(manifest.config.parse({}), {} as never, machine) as unknown as {
  model(parts: { failures: number }): {
    component: {
      initial(): FailingState;
      decide(command: object, state: FailingState): readonly Fact[];
      evolve(draft: FailingState, fact: Fact, at: object): void;
      actions?: readonly { when(view: () => FailingState): boolean; command: object }[];
    };
  };
};
const ALLOCATE = { to: 'frames', type: 'AllocatePage', order: 0, use: 'user', mm: 1, va: 0 };

describe('frames-free-list, free to fail', () => {
  const { component } = frames.model({ failures: 1 });
  const [fail] = component.actions ?? [];
  const after = (state: FailingState, command: object): readonly Fact[] => {
    const facts = component.decide(command, state);
    for (const fact of facts) component.evolve(state, fact, { seq: 0 });
    return facts;
  };

  it('one allocation fails, whichever was chosen, and no second', () => {
    const state = component.initial();
    const types = (facts: readonly Fact[]): string[] => facts.map(({ type }) => type);
    expect(types(after(state, ALLOCATE))).toEqual(['PageAllocated']);
    expect(fail?.when(() => state)).toBe(true);
    after(state, fail?.command as object);
    expect(fail?.when(() => state)).toBe(false);
    expect(types(after(state, ALLOCATE))).toEqual(['AllocationFailed']);
    expect(types(after(state, ALLOCATE))).toEqual(['PageAllocated']);
    expect(fail?.when(() => state)).toBe(false);
  });

  it('without failures it is the component of runs', () => {
    expect(frames.model({ failures: 0 }).component.actions).toBeUndefined();
  });
});
