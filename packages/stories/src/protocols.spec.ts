import { ConfigError } from '@tablewalk/base';
import { describe, expect, it } from 'vitest';
import { countNaively } from './naive-search.fixture.ts';
import type { Counts } from './naive-search.fixture.ts';
import { protocolRun } from './protocols.ts';

/**
 * What SPIN 6.5.2 finds in the three protocols, and a second search that was written from the same words:
 * model, variant, size, verdict, steps of the shortest counterexample, states, transitions, and final states
 * (of them violating, of them stuck). Violations are sticky, and counted through.
 */
type Row = readonly [
  string,
  string,
  string,
  Counts['verdict'],
  number | null,
  number,
  number,
  number,
  number,
  number,
];
const ROWS: readonly Row[] = [
  ['kmap-dma', 'FIXED', 'S=2 L=2 W=2', 'holds', null, 197, 348, 10, 0, 0],
  ['kmap-dma', 'BUGGY', 'S=2 L=2 W=2', 'violated', 5, 244, 511, 8, 6, 0],
  ['kmap-dma', 'FIXED', 'S=2 L=1 W=1 R=2', 'holds', null, 37, 52, 3, 0, 0],
  ['kmap-dma', 'BUGGY', 'S=2 L=1 W=1 R=2', 'violated', 7, 23, 33, 2, 1, 0],
  ['kmap-dma', 'FIXED', 'S=3 L=2 W=3', 'holds', null, 6629, 15715, 132, 0, 0],
  ['kmap-dma', 'BUGGY', 'S=3 L=2 W=3', 'violated', 6, 7252, 19503, 96, 72, 0],
  ['mmu-gather', 'FIXED', 'P=1 C=2 B=1 K=2 A=1', 'holds', null, 16, 23, 1, 0, 0],
  ['mmu-gather', 'BUGGY', 'P=1 C=2 B=1 K=2 A=1', 'violated', 5, 23, 35, 2, 1, 0],
  ['mmu-gather', 'FIXED', 'P=2 C=2 B=2 K=2 A=2', 'holds', null, 38, 80, 1, 0, 0],
  ['mmu-gather', 'BUGGY', 'P=2 C=2 B=2 K=2 A=2', 'violated', 5, 78, 169, 2, 1, 0],
  ['mmu-gather', 'FIXED', 'P=4 C=3 B=1 K=3 A=4', 'holds', null, 5576, 34288, 1, 0, 0],
  ['mmu-gather', 'FIXED', 'P=4 C=3 B=2 K=3 A=4', 'holds', null, 4561, 26681, 1, 0, 0],
  ['mmu-gather', 'FIXED', 'P=4 C=3 B=4 K=3 A=4', 'holds', null, 4681, 24081, 1, 0, 0],
  ['mmu-gather', 'FIXED', 'PTFREE P=1 C=2 B=1 K=2 A=1', 'holds', null, 16, 23, 1, 0, 0],
  ['mmu-gather', 'BUGGY', 'PTFREE P=1 C=2 B=1 K=2 A=1', 'violated', 5, 23, 35, 2, 1, 0],
  ['mmu-gather', 'FIXED', 'PTFREE P=2 C=3 B=2 K=3 A=2', 'holds', null, 377, 1361, 1, 0, 0],
  ['mmu-gather', 'BUGGY', 'PTFREE P=2 C=3 B=2 K=3 A=2', 'violated', 5, 1360, 4849, 9, 8, 0],
  ['pkmap', 'BUG=0', 'N=2 P=2 S=1 R=1', 'holds', null, 53, 62, 2, 0, 0],
  ['pkmap', 'BUG=2', 'N=2 P=2 S=1 R=1', 'violated', 11, 59, 70, 4, 0, 2],
  ['pkmap', 'BUG=0', 'N=3 P=3 S=2 R=1', 'holds', null, 934, 1518, 15, 0, 0],
  ['pkmap', 'BUG=1', 'N=3 P=3 S=2 R=1', 'holds', null, 934, 1518, 15, 0, 0],
  ['pkmap', 'BUG=2', 'N=3 P=3 S=2 R=1', 'violated', 20, 1054, 1728, 21, 0, 6],
  ['pkmap', 'BUG=0', 'N=4 P=3 S=2 R=1', 'holds', null, 7276, 15656, 15, 0, 0],
  ['pkmap', 'BUG=1', 'N=4 P=3 S=2 R=1', 'violated', 29, 8004, 17004, 20, 5, 0],
  ['pkmap', 'BUG=2', 'N=4 P=3 S=2 R=1', 'violated', 25, 8834, 19110, 35, 0, 20],
  ['pkmap', 'BUG=0', 'HOLD=2 N=2 P=4 S=2 R=1', 'violated', 19, 221, 274, 4, 0, 2],
  ['pkmap', 'BUG=0', 'HOLD=2 N=2 P=4 S=3 R=1', 'holds', null, 551, 722, 12, 0, 0],
];

const countsOf = (model: string, variant: string, size: string): Counts => {
  const run = protocolRun({ model, variant, size });
  return countNaively(run.story.build(run.variant, run.knobs));
};

describe('protocols, against a model checker', () => {
  for (const [model, variant, size, verdict, shortestCounterexample, ...numbers] of ROWS)
    it(`${model} ${variant}, ${size}`, () => {
      const [states, transitions, finalStates, violatingFinals, stuckFinals] = numbers;
      const counts = { states, transitions, finalStates, violatingFinals, stuckFinals };
      expect(countsOf(model, variant, size)).toEqual({ verdict, shortestCounterexample, ...counts });
    });
});

describe('a row of counts', () => {
  it('names a story, a variant and knobs; what it does not name is as the story has it', () => {
    const { story, variant, knobs } = protocolRun({
      model: 'mmu-gather',
      variant: 'BUGGY',
      size: 'PTFREE P=3',
    });
    expect({ id: story.id, variant, knobs }).toEqual({
      id: 'mmu-gather-protocol',
      variant: 'broken',
      knobs: { P: 3, C: 3, B: 2, K: 2, A: 2, PTFREE: 1 },
    });
  });

  it('is refused if it names what no protocol has', () => {
    for (const row of [
      { model: 'kmap', variant: 'FIXED', size: 'S=2' },
      { model: 'pkmap', variant: 'BUG=3', size: 'S=2' },
      { model: 'pkmap', variant: 'BUG=1', size: 'S=2 Z=2' },
      { model: 'pkmap', variant: 'BUG=1', size: 'S=two' },
    ])
      expect(() => protocolRun(row)).toThrow(ConfigError);
  });
});

describe('beyond what was counted elsewhere', () => {
  it('pkmap: a task that finds no address dies with the lock, and the others wait for ever', () => {
    const counts = countsOf('pkmap', 'BUG=1', 'N=3 P=3 S=2 R=2');
    expect(counts).toMatchObject({ verdict: 'violated', shortestCounterexample: 29, stuckFinals: 93 });
  });

  it('mmu-gather: an owner that waits for a page that nobody frees is not stuck', () => {
    expect(countsOf('mmu-gather', 'FIXED', 'P=1 C=2 B=1 K=1 A=3')).toMatchObject({
      verdict: 'holds',
      stuckFinals: 0,
    });
  });
});
