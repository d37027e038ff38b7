import type { VocabularyFactOf } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const context = { cpu: 0, args: [] };
const va = (page: number): number => 0x10_0000 + page * 4096;

/** Frames in ascending order, so that the hand meets the pages in the order in which they were touched. */
function touched(pages: number): Lab {
  const slots = { frames: { use: 'frames-free-list', order: 'ascending' } };
  const lab = new Lab({ cpus: 1, ram: '512KiB', slots, use: [manifest] });
  lab.process(1);
  lab.switchTo(0, 1);
  for (let page = 0; page < pages; page++) lab.access(0, va(page), page % 2 === 0);
  return lab;
}
function reclaim(lab: Lab, wanted: number): number[] {
  const from = lab.facts.length;
  lab.do(0, lab.slots.reclaim.reclaim(context, wanted));
  const taken = lab.factsOf<VocabularyFactOf<'PageReclaimed'>>('PageReclaimed', from);
  return taken.map(({ fact }) => (fact.va - va(0)) / 4096);
}

/** Second chance: Corbató, A Paging Experiment with the Multics System, 1968. */
describe('reclaim-clock', () => {
  it('all young: the first turn makes them old, the second takes the first ones', () => {
    expect(reclaim(touched(5), 2)).toEqual([0, 1]);
  });

  it('a page that was used since the hand passed it is spared', () => {
    const lab = touched(5);
    expect(reclaim(lab, 1)).toEqual([0]);
    // Old pages fault, and become young again.
    for (const page of [1, 3]) {
      lab.fault(0, va(page), false, 1, 2);
    }
    expect(reclaim(lab, 2)).toEqual([2, 4]);
  });

  it('the hand goes on where it stopped', () => {
    const lab = touched(6);
    expect(reclaim(lab, 2)).toEqual([0, 1]);
    expect(reclaim(lab, 2)).toEqual([2, 3]);
  });

  it('tells which of the pages were dirty: their contents would have to be written', () => {
    const lab = touched(4);
    const from = lab.facts.length;
    reclaim(lab, 4);
    const taken = lab.factsOf<VocabularyFactOf<'PageReclaimed'>>('PageReclaimed', from);
    expect(taken.map(({ fact }) => fact.dirty)).toEqual([true, false, true, false]);
  });

  it('ageing a page tells no TLB: a cached entry goes on working (spec/page-tables.md, 1.7)', () => {
    const lab = touched(3);
    reclaim(lab, 1);
    expect(lab.slots['page-table'].lookup(lab.view, 1, va(2))?.young).toBe(false);
    expect(typeof lab.physical(0, va(2))).toBe('number');
  });
});
