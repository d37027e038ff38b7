import type { KernelFact, ProgramContext, VocabularyFact } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { pkmapKey } from './pkmap-table.ts';

const BASE = 0xbfe0_0000;
const [P, Q, R] = [0x90001, 0x90002, 0x90003];
const context: ProgramContext = { cpu: 0, args: [] };

const newLab = (knobs: object, use = 'kmap-pkmap'): Lab =>
  new Lab({
    cpus: 1,
    slots: { kmap: { use, ...knobs }, cache: 'cache-vivt', shootdown: 'shootdown-tlbi-broadcast' },
  });
const map = (lab: Lab, pfn: number): number => lab.do(0, lab.slots.kmap.map(context, pfn, 0));
const unmap = (lab: Lab, pfn: number): void => lab.do(0, lab.slots.kmap.unmap(context, 0, pfn, 0));

/** Facts from the `from`-th on, in a few letters each. */
const LETTERS: Readonly<Record<string, string>> = {
  LockAcquired: '(',
  LockReleased: ')',
  IrqsDisabled: '[',
  IrqsEnabled: ']',
  PkmapCursorMoved: '>',
  CacheMaintained: 'clean ',
  KmapSlotUnmapped: '-',
  TlbInvalidated: ' flush ',
  BarrierCompleted: '',
  KmapSlotMapped: '+',
  PkmapTaken: 't',
  PkmapReleased: 'r',
};
const story = (lab: Lab, from = 0): string =>
  lab.facts
    .slice(from)
    .map(({ fact }) => LETTERS[(fact as KernelFact | VocabularyFact).type] ?? '?')
    .join('');

/** mm/highmem.c; spec/kmap.md, 2.2. */
describe('pkmap', () => {
  it('the cursor starts at 0 and is moved on first: slot 1 is the first to be used', () => {
    const lab = newLab({ slots: 4 });
    expect([map(lab, P), map(lab, Q)]).toEqual([BASE + 4096, BASE + 2 * 4096]);
    expect(story(lab)).toBe('(>+t)(>+t)');
    expect(lab.view(pkmapKey)).toEqual({ counts: [0, 2, 2, 0], pages: [-1, P, Q, -1], last: 2, waiters: 0 });
  });

  it('a page that is mapped is found, and counted once more for each user', () => {
    const lab = newLab({ slots: 4 });
    expect(map(lab, P)).toBe(map(lab, P));
    expect(lab.view(pkmapKey).counts).toEqual([0, 3, 0, 0]);
    unmap(lab, P);
    unmap(lab, P);
    expect(lab.view(pkmapKey).counts, 'no user, and still mapped').toEqual([0, 1, 0, 0]);
    const from = lab.facts.length;
    expect(map(lab, P)).toBe(BASE + 4096);
    expect(story(lab, from)).toBe('(t)');
  });

  it('a wrap cleans the cache, unmaps every slot without users, then flushes the TLBs, once for all', () => {
    const lab = newLab({ slots: 3 });
    for (const pfn of [P, Q]) {
      map(lab, pfn);
      unmap(lab, pfn);
    }
    const from = lab.facts.length;
    expect(map(lab, R)).toBe(BASE);
    expect(story(lab, from)).toBe('(>clean -- flush +t)');
    expect(lab.slots.kmap.pageAddress(lab.view, P)).toBeUndefined();
  });

  it('a wrap that finds nothing to unmap flushes no TLB, and slots in use are passed by', () => {
    const lab = newLab({ slots: 3 });
    map(lab, P);
    map(lab, Q);
    const from = lab.facts.length;
    map(lab, R);
    expect(story(lab, from)).toBe('(>clean +t)');
    unmap(lab, R);
    const next = lab.facts.length;
    expect(map(lab, 0x90004)).toBe(BASE);
    expect(story(lab, next)).toBe('(>>>clean - flush +t)');
  });

  it('kunmap of a page that nobody has mapped is a BUG', () => {
    const lab = newLab({ slots: 3 });
    map(lab, P);
    unmap(lab, P);
    expect(() => unmap(lab, P)).toThrow(/nobody has mapped/);
  });

  it('kmap_high_get pins what is mapped, with IRQs off around the lock', () => {
    const lab = newLab({ slots: 3 }, 'kmap-pkmap-pinned');
    map(lab, P);
    unmap(lab, P);
    const from = lab.facts.length;
    expect(lab.do(0, lab.slots.kmap.highGet(context, P))).toBe(BASE + 4096);
    expect(lab.view(pkmapKey).counts).toEqual([0, 2, 0]);
    lab.do(0, lab.slots.kmap.highPut(context, P));
    expect(lab.do(0, lab.slots.kmap.highGet(context, Q))).toBeUndefined();
    expect(story(lab, from)).toBe('[(t)][(r)][()]');
  });

  it('page_address alone pins nothing: one read, no fact', () => {
    const lab = newLab({ slots: 3 });
    map(lab, P);
    const from = lab.facts.length;
    expect(lab.do(0, lab.slots.kmap.highGet(context, P))).toBe(BASE + 4096);
    lab.do(0, lab.slots.kmap.highPut(context, P));
    expect(story(lab, from)).toBe('');
  });
});
