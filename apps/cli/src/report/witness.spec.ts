import type { RecordedFact } from '@tablewalk/contracts';
import type { Violation, WitnessStep } from '@tablewalk/explore';
import { describe, expect, it } from 'vitest';
import { witnessText } from './witness.ts';
import { wrapped } from './wrap.ts';

const fact = (seq: number, said: RecordedFact['fact'], cpu = 0): RecordedFact => ({
  seq,
  by: 'kernel',
  cpu,
  time: 0,
  stimulus: 1,
  fact: said,
});
const step = (
  number: number,
  actor: string,
  cpu: number,
  label: string,
  ...facts: RecordedFact[]
): WitnessStep => ({ step: number, actor, cpu, label, facts });
const violation = (seq: number, rule: string, culprit: number, evidence: number): RecordedFact => {
  const said = { type: 'PropertyViolated', checker: 'c', rule, cpu: 1, culprit, evidence, va: 0, pfn: 0 };
  return fact(seq, said as RecordedFact['fact']);
};
const found = (checker: string, rule: string, witness: readonly WitnessStep[]): Violation => ({
  checker,
  rule,
  schedule: witness.map(() => 0),
  witness,
  shortest: true,
});

const USE_AFTER_FREE = 'a page is used after it was freed';
const freed: readonly WitnessStep[] = [
  step(
    1,
    'store',
    1,
    'walks',
    fact(10, { type: 'TlbEntryFilled', cpu: 1, va: 0x4000, pfn: 0x80010 } as never, 1),
  ),
  step(2, 'munmap', 0, 'clears the pte', fact(11, { type: 'PteCleared', mm: 1, va: 0x4000 } as never)),
  step(3, 'munmap', 0, 'frees the page', fact(12, { type: 'PageFreed', pfn: 0x80010 } as never)),
  step(4, 'IRQ on CPU 1', 1, 'takes the interrupt'),
  {
    ...step(5, 'store', 1, 'writes', fact(13, { type: 'PageWritten', pfn: 0x80010 } as never, 1)),
    violation: violation(14, USE_AFTER_FREE, 12, 13),
  },
  step(6, 'DMA', -1, 'ends'),
];

describe('a witness', () => {
  it('has a column for each actor, a line for each step, and says why', () => {
    expect(witnessText(found('checker-page-use-after-free', USE_AFTER_FREE, freed))).toBe(
      `
         CPU 0          CPU 1               CPU 1
   step  munmap         IRQ                 store    DMA      what changed
         -------------- ------------------- -------- -------- ------------
      1  |              |                   walks    |        TlbEntryFilled cpu=1 va=0x4000 pfn=0x80010
      2  clears the pte |                   |        |        PteCleared mm=1 va=0x4000
 *    3  frees the page |                   |        |        PageFreed pfn=0x80010
      4  |              takes the interrupt |        |
>>    5  |              |                   writes   |        PageWritten pfn=0x80010
      6  |              |                   |        ends

why: step 5 (store on CPU 1: writes) breaks the rule of checker-page-use-after-free: a page is used after it was freed
     its cause is step 3 (munmap on CPU 0: frees the page): fact 12, PageFreed pfn=0x80010
     it shows in fact 13, PageWritten pfn=0x80010
`.slice(1, -1),
    );
  });

  it('fits the terminal whatever the labels and facts are', () => {
    const long = 'walks the page table and fills its TLB with the entry of the page that is to be freed soon';
    const actors = ['a', 'b', 'c', 'd', 'e', 'f'];
    const steps = actors.map((actor, i) =>
      step(
        i + 1,
        actor,
        i % 3,
        long,
        fact(i, { type: 'WordsCopied', from: 4096, to: 8192, words: 99 } as never),
      ),
    );
    for (const width of [120, 160]) {
      const lines = witnessText(found('never', long, steps), { width }).split('\n');
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    }
  });

  it('lets labels run over the columns of those who stand still, where they have no room beside each other', () => {
    const lines = witnessText(
      found('never', 'r', [
        step(1, 'a', 0, 'locks, and asks for the address of the page'),
        step(2, 'b', 1, 'looks at the next slot, and finds it in use'),
        step(3, 'c', 1, 'sleeps'),
      ]),
    ).split('\n');
    expect(lines.slice(0, 6).map((line) => line.slice(9).trimEnd())).toEqual([
      'CPU 0    CPU 1    CPU 1',
      'a        b        c        what changed',
      '-------- -------- -------- ------------',
      'locks, and asks for the address of the page',
      '|        looks at the next slot, and finds it in use',
      '|        |        sleeps',
    ]);
  });

  it('does not say twice what a label says, and puts hardware beside the tasks of its CPU', () => {
    const locked = { type: 'LockAcquired', cpu: 0, lock: 'kmap_lock' } as RecordedFact['fact'];
    const mapped = { type: 'KmapSlotMapped', cpu: 0, slot: 1, kind: 'high' } as RecordedFact['fact'];
    const dirtied = { type: 'CacheLineDirtied', cpu: 0, va: 0x4000 } as RecordedFact['fact'];
    const text = witnessText(
      found('never', 'r', [
        step(1, 'cache of CPU 0', -1, 'evicts', fact(1, dirtied, -1)),
        step(2, 'store', 0, 'lock acquired: kmap_lock', fact(2, locked)),
        step(3, 'map', 0, 'kmap slot mapped: high', fact(3, mapped), fact(4, dirtied)),
        step(4, 'DMA', -1, 'ends'),
      ]),
    );
    expect(text.slice(0, text.indexOf('\n\n'))).toBe(
      `
         CPU 0                  CPU 0                    CPU 0
   step  map                    store                    cache    DMA      what changed
         ---------------------- ------------------------ -------- -------- ------------
      1  |                      |                        evicts   |        CacheLineDirtied cpu=0 va=0x4000
      2  |                      lock acquired: kmap_lock |        |
      3  kmap slot mapped: high |                        |        |        slot=1; CacheLineDirtied cpu=0 va=0x4000
      4  |                      |                        |        ends
`.slice(1, -1),
    );
  });

  it('writes the variables of a story as they are, and ends its lines with no space', () => {
    const variable = { type: 'pte[0] written', value: [1, 0] } as RecordedFact['fact'];
    const text = witnessText(found('never', 'r', [step(1, 'CPU 0', -1, 'maps', fact(1, variable, -1))]));
    expect(text).toContain('1  maps     pte[0]=[1,0]');
    expect(text).not.toMatch(/ \n/);
  });

  it('says of a play that stands still who did the last step, and of a rule of the story whose it is', () => {
    const last = { ...step(1, 'a', 0, 'sleeps'), violation: violation(3, 'lost wake-up', 3, 3) };
    expect(witnessText(found('kernel', 'lost wake-up', [last]))).toContain(
      'why: lost wake-up: after step 1 (a on CPU 0: sleeps) nothing can happen any more, and not everybody is done',
    );
    expect(witnessText(found('never', 'r', [last]))).toMatch(/breaks what the story says must never be: r$/);
    expect(witnessText(found('kernel', 'deadlock', []))).toMatch(
      /why: deadlock: from the beginning, nothing/,
    );
  });

  it('names a cause that lies before the first step', () => {
    const last = {
      ...step(1, 'a', 0, 'uses it', fact(7, { type: 'X' })),
      violation: violation(8, 'r', 3, 7),
    };
    expect(witnessText(found('checker-x', 'r', [last]))).toContain('its cause lies in the scene: fact 3');
  });

  it('is in colour only when it is told so', () => {
    const wanted = found('checker-x', 'r', freed);
    expect(witnessText(wanted)).not.toContain('\x1b');
    expect(witnessText(wanted, { colour: true })).toContain('\x1b[1;31m>>    5');
  });
});

it('a line is wrapped at spaces, and keeps its margin', () => {
  expect(wrapped('  aa bb cc dd', 8, 4)).toBe('  aa bb\n    cc\n    dd');
  expect(wrapped('a-word-that-is-long b', 5)).toBe('a-word-that-is-long\nb');
});
