import { openMachine, runSmall, syntheticTrace } from '@tablewalk/testkit';
import type { SmallMachine } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';

const WORK = [1, 2].map((seed) => syntheticTrace({ seed, references: 60, pages: 5 }));
const withScript = (script: number[]): SmallMachine => ({
  slots: { scheduler: { use: 'scheduler-scripted', script } },
});
const order = (script: number[]): number[] =>
  runSmall(openMachine(withScript(script)).built, WORK).facts.map(({ cpu }) => cpu);

describe('scheduler-scripted', () => {
  it('takes the alternatives that the script names, and after its end always the first', () => {
    // At the beginning both CPUs want to schedule: alternative 1 is CPU 1.
    const [first, second] = [order([0, 0, 0, 0]), order([1, 1, 1, 1])];
    const start = first.findIndex((cpu, i) => cpu !== second[i]);
    expect([first[start], second[start]]).toEqual([0, 1]);
  });

  it('the same script gives the same run', () => {
    expect(order([1, 1, 1, 1])).toEqual(order([1, 1, 1, 1]));
  });

  it('a script that was made for another machine or other work is refused', () => {
    expect(() => order([7])).toThrow(/SCHEDULE_OUT_OF_RANGE/);
  });
});
