import { sliceKey } from '@tablewalk/contracts';
import type { Component, Slots, View } from '@tablewalk/contracts';
import { storyOf } from '@tablewalk/stories';
import type { MachineStory, Story } from '@tablewalk/stories';
import { staged } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { explore } from './index.ts';
import type { Exploration, WitnessStep } from './index.ts';

const CHECKER = 'checker-kernel-mapping-divergence';
const unmap = storyOf('unmap-free-race');
const sections = storyOf('ioremap-sections-smp');
const lookAt = (story: Story, variant: string): Exploration => explore(staged(story, variant));

/** Types of the facts of a witness, step by step, by who took it; `!` where a rule was broken. */
const told = ({ violation }: Exploration): string[] =>
  (violation?.witness ?? []).map(({ actor, facts, violation: broken }: WitnessStep) =>
    [actor, ...facts.map(({ fact }) => fact.type), ...(broken === undefined ? [] : ['!'])].join(' '),
  );
/** Where a step of an actor with such a fact stands in a witness. */
const place = (steps: readonly string[], actor: string, type: string): number =>
  steps.findIndex((step) => step.startsWith(actor) && step.includes(type));

describe('B-01, the thread of February 2011', () => {
  it.each(['broken-ipi', 'broken-tlbi'])('%s: cleared, freed, and stored to through the TLB', (variant) => {
    const steps = told(lookAt(unmap, variant));
    const cleared = place(steps, 'munmap', 'PteCleared');
    expect(cleared).toBeGreaterThan(0);
    expect(steps.slice(-2)).toEqual(['munmap PageFreed', 'stores StaleTranslationUsed AccessPerformed !']);
    expect(steps.filter((step) => step.includes('TlbInvalidated'))).toEqual([]);
  });

  it('the old translation is used in a repaired variant, too: while the page still waits in the gather', () => {
    for (const variant of ['repaired-ipi', 'repaired-tlbi']) {
      const { staged: play, restaged } = staged(unmap, variant);
      const components = [...play.components, { name: 'stale uses', component: staleUses }];
      const never = [{ rule: 'a stale use', when: (view: View) => view(staleUsesKey).seen }];
      const found = explore(restaged({ ...play, components, play: { ...play.play, never } }));
      expect(found.violation?.rule).toBe('a stale use');
    }
  });
});

const staleUsesKey = sliceKey<{ seen: boolean }>('stale uses');
const staleUses: Component<{ seen: boolean }> = {
  evolvesOn: ['StaleTranslationUsed'],
  initial: () => ({ seen: false }),
  decide: () => [],
  evolve(draft) {
    draft.seen = true;
  },
};

describe('HB-20, the thread of October 2013', () => {
  it('the task that runs on leads to the old device, by its own first level and without a fault', () => {
    const steps = told(lookAt(sections, 'seq-smp'));
    const mapped = place(steps, 'iounmap, ioremap', 'DeviceMapped');
    expect(place(steps, 'iounmap, ioremap', 'DeviceUnmapped')).toBeLessThan(mapped);
    expect(steps.at(-1)).toBe('task B TlbEntryFilled WalkEnded AccessPerformed !');
    expect(steps.filter((step) => step.includes('AbortTaken'))).toEqual([]);
  });

  it('an open switch: checked, interrupted for the tables of before, and only then loaded', () => {
    const steps = told(lookAt(sections, 'ipi-open-switch'));
    const delivered = place(steps, 'IRQ on CPU 1', 'IpiDelivered');
    const acknowledged = place(steps, 'IRQ on CPU 1', 'IpiAcknowledged');
    const loaded = place(steps, 'task B', 'ContextSwitched');
    const counted = place(steps, 'iounmap, ioremap', 'VmallocSeqIncremented');
    const checked = steps.findIndex((step, i) => step === 'task B' && i < counted);
    expect(checked).toBeGreaterThanOrEqual(0);
    expect([checked, counted, delivered, acknowledged, loaded]).toEqual(
      [checked, counted, delivered, acknowledged, loaded].sort((a, b) => a - b),
    );
  });

  /** The story with a plugin of its machine crippled. */
  const without = (cripple: (slots: Slots) => void): MachineStory => {
    const story = sections as MachineStory;
    return {
      ...story,
      build(slots, ...rest) {
        cripple(slots);
        return story.build(slots, ...rest);
      },
    };
  };

  it('on one CPU it is the check of the switch that makes it right', () => {
    const unchecked = without(({ ioremap }) => Object.assign(ioremap, { *checkVmallocSeq() {} }));
    expect(lookAt(sections, 'seq-up').verdict).toBe('holds');
    expect(lookAt(unchecked, 'seq-up').violation?.checker).toBe(CHECKER);
  });

  it.each(['seq-up', 'pages-up', 'pages-smp'])(
    '%s: without the flush of the range it is wrong',
    (variant) => {
      const unflushed = without(({ shootdown }) => Object.assign(shootdown, { *flushTlbKernelRange() {} }));
      expect(lookAt(unflushed, variant).violation?.checker).toBe(CHECKER);
    },
  );
});
