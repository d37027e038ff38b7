import { tasksKey } from '@tablewalk/contracts';
import type { Never } from '@tablewalk/machine';
import { storyOf } from '@tablewalk/stories';
import type { Story } from '@tablewalk/stories';
import { staged } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { explore } from './index.ts';
import type { Exploration, WitnessStep } from './index.ts';

const highGet = storyOf('kmap-high-get');
const atomicSleep = storyOf('kmap-atomic-sleep');
const atomicPop = storyOf('kunmap-atomic-pop');
const lookAt = (story: Story, variant: string): Exploration => explore(staged(story, variant));

/** Types of the facts of a witness, step by step, by who took it; `!` where a rule was broken. */
const told = ({ violation }: Exploration): string[] =>
  (violation?.witness ?? []).map(({ actor, facts, violation: broken }: WitnessStep) =>
    [actor, ...facts.map(({ fact }) => fact.type), ...(broken === undefined ? [] : ['!'])].join(' '),
  );

for (const story of [highGet, atomicSleep, atomicPop])
  describe(story.id, () => {
    for (const [variant, { verdict, rule }] of Object.entries(story.variants))
      it(`${variant}: ${verdict}${rule === undefined ? '' : `, ${rule}`}`, () => {
        const found = lookAt(story, variant);
        const judge = explore(staged(story, variant), { partialOrder: false, throughViolations: true });
        expect([found.verdict, found.violation?.rule]).toEqual([verdict, rule]);
        expect(judge.verdict).toBe(verdict);
        if (rule !== undefined) expect(judge.rules).toContain(rule);
        else expect([found.stuckStates, found.outcomes]).toEqual([0, judge.outcomes]);
      });
  });

describe('the thread of March 2009', () => {
  it('is found as it was told: address, preemption, wrap, the other page written, invalidated', () => {
    const found = lookAt(highGet, 'broken');
    expect(told(found)).toEqual([
      'dma_map_page(P)',
      'kmap(Q) LockAcquired',
      'kmap(Q)',
      'kmap(Q) PkmapCursorMoved',
      'kmap(Q) PkmapCursorMoved',
      'kmap(Q) CacheMaintained CacheLineWrittenBack',
      'kmap(Q)',
      'kmap(Q) KmapSlotUnmapped',
      'kmap(Q) TlbInvalidated',
      'kmap(Q)',
      'kmap(Q) KmapSlotMapped',
      'kmap(Q) PkmapTaken',
      'kmap(Q) LockReleased',
      'kmap(Q) CacheLineDirtied',
      'dma_map_page(P) CacheMaintained CacheLineDropped !',
    ]);
    expect(found.violation?.shortest).toBe(true);
  });

  it('with the pin, kmap of the other page waits for DMA in some schedules, and every one of them ends', () => {
    const { states, finalStates } = lookAt(highGet, 'repaired');
    expect({ states, finalStates }).toEqual({ states: 221, finalStates: 1 });
    expect(lookAt(highGet, 'irq-safe').states).toBe(189);
    const story = staged(highGet, 'repaired');
    const waits: Never = { rule: 'Q waits', when: (view) => view(tasksKey)[1]?.queue === 'pkmap_map_wait' };
    const play = { ...story.staged.play, never: [waits] };
    expect(explore(story.restaged({ ...story.staged, play })).rules).toEqual(['Q waits']);
  });

  it('is found by random schedules and by plain re-execution as well', () => {
    for (const strategy of ['random', 'reexecution'] as const) {
      const { violation } = explore(staged(highGet, 'broken'), { strategy, seed: 1 });
      expect(violation?.rule, strategy).toBe('a dirty line of another page was invalidated');
    }
  });
});

describe('kmap_atomic', () => {
  it('who sleeps loses its slot to the next task; a checker that knows the rule says so two steps earlier', () => {
    const [bitten, named] = ['sleeps', 'named'].map((variant) => told(lookAt(atomicSleep, variant)));
    expect(bitten?.slice(0, 6)).toEqual(named?.slice(0, 6).map((step) => step.replace(' !', '')));
    expect(bitten?.slice(6)).toEqual(['B PreemptDisabled', 'B KmapSlotMapped !']);
    expect(named?.at(-1)).toBe('A TaskSlept !');
  });

  it('what comes of it: after the wake-up the store of A reaches the page of B', () => {
    expect(told(lookAt(atomicSleep, 'astray')).slice(-2)).toEqual(['A', 'A PageWritten !']);
  });

  it('in every schedule of the repaired variant each page has its own writer in the end', () => {
    const { states, outcomes = [] } = lookAt(atomicSleep, 'repaired');
    expect(states).toBe(114);
    for (const outcome of outcomes)
      expect(new Map(JSON.parse(outcome) as [string, unknown][]).get('pages')).toEqual([1, 2]);
  });

  it('an index that is popped first is taken by an interrupt in the next instruction (HB-7)', () => {
    const steps = told(lookAt(atomicPop, 'broken'));
    expect(steps.slice(-4)).toEqual([
      'kmap_atomic(P) KmapIndexPopped',
      'IRQ on CPU 0 IpiDelivered',
      'IRQ on CPU 0 KmapIndexPushed',
      'IRQ on CPU 0 KmapSlotMapped !',
    ]);
    expect(lookAt(atomicPop, 'repaired').states).toBe(143);
  });
});
