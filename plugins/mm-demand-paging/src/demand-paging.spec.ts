import type { VocabularyFactOf } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const VA = 0x8000;
type Handled = VocabularyFactOf<'FaultHandled'>;

function process(knobs: object = {}): Lab {
  const lab = new Lab({ cpus: 2, known: [manifest], slots: { mm: { use: manifest.id, ...knobs } } });
  lab.process(1);
  for (const cpu of [1, 0]) lab.switchTo(cpu, 1);
  return lab;
}
const outcomes = (lab: Lab): string[] => lab.factsOf<Handled>('FaultHandled').map(({ fact }) => fact.outcome);
const entry = (lab: Lab): object | undefined => lab.slots['page-table'].lookup(lab.view, 1, VA);

/** The state machine of spec/page-tables.md, 1.7. */
describe('mm-demand-paging', () => {
  it('a load maps the page young and clean; the first store makes it dirty; then nothing faults', () => {
    const lab = process();
    lab.access(0, VA, false);
    expect(entry(lab)).toMatchObject({ young: true, dirty: false, write: true });
    lab.access(0, VA + 8, true);
    expect(entry(lab)).toMatchObject({ young: true, dirty: true });
    lab.access(0, VA + 16, true);
    expect(outcomes(lab)).toEqual(['mapped', 'made-dirty']);
  });

  it('a store maps the page dirty at once', () => {
    const lab = process();
    lab.access(0, VA, true);
    expect(outcomes(lab)).toEqual(['mapped']);
    expect(entry(lab)).toMatchObject({ young: true, dirty: true });
  });

  it('an old page faults where no TLB has it, and becomes young', () => {
    const lab = process();
    lab.access(0, VA, true);
    lab.do(0, lab.slots['page-table'].clearYoung({ cpu: 0, args: [] }, 1, VA));
    lab.access(1, VA, false);
    expect(outcomes(lab)).toEqual(['mapped', 'made-young']);
  });

  it('a store on one CPU is let through on another that holds the clean entry from before the page was old', () => {
    const lab = process();
    lab.access(0, VA, false);
    lab.do(1, lab.slots['page-table'].clearYoung({ cpu: 1, args: [] }, 1, VA));
    // CPU 1 finds no entry: a translation fault that makes the page dirty. CPU 0 still holds it read-only.
    lab.access(1, VA, true);
    lab.access(0, VA, true);
    expect(outcomes(lab)).toEqual(['mapped', 'made-dirty']);
  });

  it('memory is allocated before page_table_lock is taken: an allocation may sleep', () => {
    const lab = process();
    lab.access(0, VA, true);
    const told = ['PageAllocated', 'LockAcquired', 'PteSet', 'LockReleased'];
    const types = lab.facts.map(({ fact }) => fact.type).filter((type) => told.includes(type));
    expect(types.slice(types.lastIndexOf('PageAllocated'))).toEqual(told);
  });

  it('exit: keep leaves the address space as it is, to count what a TLB holds at the end', () => {
    const lab = process({ exit: 'keep' });
    lab.access(0, VA, true);
    const exit = lab.slots.mm.programs['exit'];
    lab.do(0, exit?.({ cpu: 0, args: [1] }) as never);
    expect(entry(lab)).toMatchObject({ dirty: true });
    expect(lab.factsOf('ProcessExited').length).toBe(1);
  });
});
