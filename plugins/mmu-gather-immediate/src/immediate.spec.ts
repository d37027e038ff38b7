import type { Routine } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const context = { cpu: 0, args: [] };
const VA = 0x8000;

function* unmap(lab: Lab, pages: number): Routine {
  const gather = lab.slots['mmu-gather'];
  const tlb = yield* gather.begin(context, 1, false);
  for (let page = 0; page < pages; page++) yield* gather.zapPage(context, tlb, VA + page * 4096);
  yield* gather.finish(context, tlb);
}

/** spec/mmu-gather.md, 4 (P0), and spec/historical-bugs-tlb.md, B-01. */
describe('mmu-gather-immediate', () => {
  it('frees each page as soon as its entry is cleared, and flushes at the end', () => {
    const lab = new Lab({ cpus: 1, ram: '512KiB', use: [manifest] });
    lab.process(1);
    lab.switchTo(0, 1);
    for (let page = 0; page < 3; page++) lab.access(0, VA + page * 4096, true);
    const from = lab.facts.length;
    lab.do(0, unmap(lab, 3));
    const told = ['PteCleared', 'PageFreed', 'TlbInvalidated'];
    const types = lab.facts.slice(from).map(({ fact }) => fact.type);
    expect(types.filter((type) => told.includes(type))).toEqual([
      ...['PteCleared', 'PageFreed', 'PteCleared', 'PageFreed', 'PteCleared', 'PageFreed'],
      'TlbInvalidated',
    ]);
  });

  it('B-01: between the two, another CPU stores into a page that has a new owner', () => {
    const lab = new Lab({ cpus: 2, ram: '512KiB', use: [manifest] });
    lab.process(1);
    for (const cpu of [0, 1]) {
      lab.switchTo(cpu, 1);
      lab.access(cpu, VA, true);
    }
    const page = lab.physical(1, VA) as number;
    const { frames } = lab.slots;
    let reused: number | undefined;
    lab.race([{ cpu: 0, routine: unmap(lab, 1) }], () => {
      if (reused === undefined && frames.userPage(lab.view, page / 4096) === undefined) {
        // The page is free: somebody else gets it, and CPU 1 goes on with its loop.
        reused = lab.physical(1, VA) as number;
      }
      return 0;
    });
    expect(reused).toBe(page);
  });
});
