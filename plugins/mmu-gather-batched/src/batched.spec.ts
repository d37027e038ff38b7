import type { Routine, VocabularyFactOf } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const context = { cpu: 0, args: [] };
const VA = 0x8000;
type Flushed = VocabularyFactOf<'GatherFlushed'>;

function gathered(knobs: object, pages: readonly number[], fullmm = false): Lab & { from: number } {
  const slots = { 'mmu-gather': { use: manifest.id, ...knobs } };
  const lab = new Lab({ cpus: 1, ram: '512KiB', known: [manifest], slots });
  lab.process(1);
  lab.switchTo(0, 1);
  for (const page of pages) lab.access(0, VA + page * 4096, true);
  const from = lab.facts.length;
  lab.do(0, unmap(lab, pages, fullmm));
  return Object.assign(lab, { from });
}

function* unmap(lab: Lab, pages: readonly number[], fullmm: boolean): Routine {
  const gather = lab.slots['mmu-gather'];
  const tlb = yield* gather.begin(context, 1, fullmm);
  for (const page of pages) yield* gather.zapPage(context, tlb, VA + page * 4096);
  yield* gather.finish(context, tlb);
}

/** The facts of the one rule of spec/mmu-gather.md, 1, in a letter each: Clear, Flush, Free, of the local array. */
const story = (lab: Lab & { from: number }): string =>
  lab.facts
    .slice(lab.from)
    .map(({ fact: { type } }) =>
      type === 'PteCleared' ? 'c' : type === 'TlbInvalidated' ? '!' : type === 'PageFreed' ? 'f' : '',
    )
    .join('');

describe('mmu-gather-batched', () => {
  it('pages wait until the flush: 8 of them, then flush and free, and go on (MMU_GATHER_BUNDLE)', () => {
    const ten = Array.from({ length: 10 }, (_, page) => page);
    expect(story(gathered({}, ten))).toBe('cccccccc!ffffffffcc!ff');
    expect(story(gathered({ bundle: 1 }, [0, 1]))).toBe('c!fc!f');
    expect(story(gathered({}, []))).toBe('');
  });

  it('a flush covers the least range that holds what was cleared since the last one', () => {
    const lab = gathered({ bundle: 2 }, [1, 3, 7]);
    const flushed = lab.factsOf<Flushed>('GatherFlushed', lab.from).map(({ fact }) => fact);
    expect(flushed.map(({ startVpn, endVpn, pages }) => [startVpn, endVpn, pages])).toEqual([
      [9, 12, 2],
      [15, 16, 1],
    ]);
  });

  it('flushes the whole mm at exit, and where a range is wider than the ceiling', () => {
    const scopes = (lab: Lab & { from: number }): string[] =>
      lab
        .factsOf<VocabularyFactOf<'TlbInvalidated'>>('TlbInvalidated', lab.from)
        .map(({ fact }) => fact.scope);
    expect(scopes(gathered({}, [0, 1], true))).toEqual(['asid']);
    expect(scopes(gathered({ rangeCeiling: 4 }, [0, 3]))).toEqual(['va']);
    expect(scopes(gathered({ rangeCeiling: 4 }, [0, 4]))).toEqual(['asid']);
  });
});
