import type { SliceKey, Step, View } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { atomically, Variable, variables } from './variable.ts';

const world: Readonly<Record<string, readonly number[]>> = { 'x[0]': [1], 'x[1]': [2, 3] };
const view: View = <S>({ name }: SliceKey<S>): S => world[name] as S;

describe('a step of several writes', () => {
  const [one, two] = variables('x', 2) as [Variable, Variable];

  it('reads what it has written, and writes nobody before its end', () => {
    const step = atomically((now) => {
      now.put(one, now.at(two, 1) + 1);
      now.put(two, now.at(one), 1);
      now.put(two, 9);
    });
    expect(step(view)).toEqual([
      { type: 'x[0] written', value: [4] },
      { type: 'x[1] written', value: [9, 4] },
    ]);
    expect(world).toEqual({ 'x[0]': [1], 'x[1]': [2, 3] });
  });

  it('says what it wrote also where that is as before', () => {
    expect(atomically((now) => now.fill(one, 1))(view)).toEqual([{ type: 'x[0] written', value: [1] }]);
  });
});

it('a variable answers the old number of an exchange, and takes a whole value at once', () => {
  const variable = new Variable('x[1]', [2, 3]);
  const { component } = variable.named;
  const env = { cpu: 0, view, below: () => 0 };
  const steps = [variable.swap((old) => old + 1, 1).next().value, variable.storeAll([7, 8]).next().value];
  const facts = (steps as Step[]).map((step) =>
    step.kind === 'issue' ? component.decide(step.command, [2, 3], env) : [],
  );
  expect(facts).toEqual([
    [{ type: 'x[1] swapped', value: [2, 4], old: 3 }],
    [{ type: 'x[1] written', value: [7, 8] }],
  ]);
});
