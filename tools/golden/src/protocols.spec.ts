import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { protocolsFamily } from './protocols.ts';

/** Rows as SPIN 6.5.2 counts them, one of them with a count that is wrong. */
const deadlock = {
  model: 'pkmap',
  variant: 'BUG=2',
  size: 'N=2 P=2 S=1 R=1',
  verdict: 'violated',
  shortestCounterexample: 11,
  states: 59,
  transitions: 70,
  finalStates: 4,
  violatingFinals: 0,
  stuckFinals: 2,
};
const lost = {
  ...{ model: 'kmap-dma', variant: 'BUGGY', size: 'S=2 L=1 W=1 R=2', verdict: 'violated' },
  ...{ shortestCounterexample: 7, states: 23, transitions: 33, finalStates: 2 },
  ...{ violatingFinals: 1, stuckFinals: 0 },
};
const rows = [
  deadlock,
  lost,
  { ...lost, violatingFinals: 2 },
  { ...deadlock, shortestCounterexample: 12 },
  { ...lost, model: 'two-phase-commit' },
];

const root = mkdtempSync(join(tmpdir(), 'tablewalk-golden-'));
beforeAll(() => {
  writeFileSync(join(root, 'expected.json'), JSON.stringify(rows));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

it('protocols agree with the counts of a model checker, or are told with the field that differs', async () => {
  expect(protocolsFamily.folders(root)).toEqual([root]);
  const { differences, ...result } = await protocolsFamily.compare(root, () => undefined);
  expect(result).toEqual({
    family: 'protocols',
    checked: 8,
    disagree: 3,
    skipped: { 'of two-phase-commit, which no story states': 1 },
  });
  const pkmap = 'pkmap BUG=2 N=2 P=2 S=1 R=1';
  expect(differences).toEqual([
    {
      what: 'kmap-dma BUGGY S=2 L=1 W=1 R=2, every state',
      difference: 'violatingFinals expected 2, got 1',
    },
    { what: `${pkmap}, every state`, difference: 'shortestCounterexample expected 12, got 11' },
    { what: `${pkmap}, reduced`, difference: 'shortestCounterexample expected 12, got 11' },
  ]);
});

it('a folder with another expected.json is of another family', () => {
  const other = mkdtempSync(join(root, 'other-'));
  for (const text of ['[]', '{}', '[1, {}]']) {
    writeFileSync(join(other, 'expected.json'), text);
    expect(protocolsFamily.folders(root)).toEqual([root]);
  }
});
