import { storyOf } from '@tablewalk/stories';
import { staged } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { explore } from './index.ts';
import type { Exploration } from './index.ts';

const story = storyOf('dma-speculation');
const lookAt = (variant: string): Exploration =>
  explore(staged(story, variant), { partialOrder: false, throughViolations: true });

/** HB-28; DMA-3 and DMA-4 of spec/caches-and-dma.md, 4.3. */
describe('dma-speculation', () => {
  it('is found as it was told: invalidated, prefetched, written by the device, read', () => {
    const { violation, rules } = lookAt('broken');
    const told = violation?.witness.map(({ actor, facts }) =>
      [actor, ...facts.map(({ fact }) => fact.type)].join(' '),
    );
    expect(told).toEqual([
      'driver',
      'driver CacheMaintained CacheLineDropped',
      'driver CacheMaintained CacheLineDropped',
      'driver TransferStarted',
      'cache of CPU 0 CacheLineFilled',
      'device DeviceWrote',
      'driver',
      'driver BufferTaken',
      'driver StaleLineRead',
    ]);
    expect(violation?.shortest).toBe(true);
    expect(rules, 'no dirty line is left to be written back').toEqual([
      'a CPU has read a line that is older than what a device wrote',
    ]);
  });

  it('every schedule of the other variants ends with the page taken', () => {
    for (const variant of ['repaired', 'no-speculation']) {
      const { verdict, stuckStates, outcomes = [] } = lookAt(variant);
      expect([verdict, stuckStates, outcomes.length > 0], variant).toEqual(['holds', 0, true]);
      for (const outcome of outcomes)
        expect(new Map(JSON.parse(outcome) as [string, unknown][]).get('device')).toMatchObject({
          phase: 'taken',
        });
    }
  });
});
